# shellcheck shell=bash
# Shared by the scripts here. Each runs one hook manager for real against the binary that PORTCULLIS names (default: the
# debug build), in a throw-away home. Exit codes: 0 as it should be, 77 skipped with the reason, else wrong.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
portcullis=${PORTCULLIS:-$root/target/debug/portcullis}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
    echo "skipped: $*" >&2
    exit 77
}

fail() {
    echo "FAILED: $*" >&2
    [ ! -f "$work/said" ] || cat "$work/said" >&2
    exit 1
}

[ -x "$portcullis" ] || skip "there is no binary at $portcullis: cargo build"

# A machine of its own: home, git configuration, the binary in PATH, a repository `shop` with a remote.
machine() {
    mkdir -p "$work/home" "$work/bin"
    ln -s "$portcullis" "$work/bin/portcullis"
    export HOME=$work/home XDG_CONFIG_HOME=$work/home/.config XDG_CACHE_HOME=$work/home/.cache
    export GIT_CONFIG_GLOBAL=$work/gitconfig GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 PATH=$work/bin:$PATH
    unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE
    git config --global init.defaultBranch main
    git config --global user.name Test
    git config --global user.email test@example.org
    git config --global protocol.file.allow always
    git init -q --bare "$work/origin.git"
    git init -q "$work/shop"
    cd "$work/shop"
    git remote add origin "$work/origin.git"
    echo '# shop' >README.md
    git add README.md
    git commit -q -m 'docs: say what this is'
    git push -q -u origin main
}

# refused WHAT COMMAND...: it must fail, and portcullis must be the one who says so.
refused() {
    local what=$1
    shift
    if "$@" >"$work/said" 2>&1; then fail "$what was let through"; fi
    grep -q 'portcullis: fail' "$work/said" || fail "$what was refused by somebody else"
    echo "refused, as it should be: $what"
}

# passes WHAT COMMAND...
passes() {
    local what=$1
    shift
    "$@" >"$work/said" 2>&1 || fail "$what was refused"
    echo "passed, as it should: $what"
}

key() {
    # A key that exists nowhere else, made when it is needed, so that no file here holds one.
    ssh-keygen -q -t ed25519 -N '' -f "$1"
}

# The same story under every manager: index, message, push.
story() {
    command -v ssh-keygen >/dev/null || skip "ssh-keygen is not installed"
    echo fine >fine.txt
    git add -A
    refused 'a message without a type' git commit -m 'updated stuff'
    passes 'a good commit' git commit -m 'feat: fine'
    passes 'a push of good commits' git push origin main
    key leaked
    git add leaked
    refused 'a private key in the index' git commit -m 'feat: leak'
    git commit -q --no-verify -m 'feat: leak'
    refused 'a private key in a push' git push origin main
    git rm -q --cached leaked
    git commit -q --no-verify -m 'fix: take it out'
    refused 'a private key that came and went within a push' git push origin main
}
