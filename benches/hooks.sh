#!/bin/sh
# What the hooks cost, measured with hyperfine: `sh benches/hooks.sh [PORTCULLIS] [REPOSITORY]`.
# PORTCULLIS: the binary (default: the one in PATH). REPOSITORY: a large one with many refs, only read (default: none,
# and the server's part is left out). Everything is made in a temporary directory and removed.
#
# Goals, beside git without hooks: pre-commit +10 ms in 20,000 files, commit-msg +5 ms, one commit to 18,000 refs and
# 500,000 objects +15 ms on the server, 2,000 commits at most 1.5 times `git index-pack` of the same pack.
set -eu

portcullis=$(command -v "${1:-portcullis}") || { echo "there is no ${1:-portcullis}: name the binary" >&2; exit 2; }
portcullis=$(realpath "$portcullis")
large=${2:+$(realpath "$2")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=b GIT_AUTHOR_EMAIL=b@example.org GIT_COMMITTER_NAME=b GIT_COMMITTER_EMAIL=b@example.org

measure() { hyperfine --warmup 3 --min-runs 30 "$@"; }

echo "# laptop: one staged file among 20,000"
git init -q "$work/laptop"
cd "$work/laptop"
rm -rf .git/hooks
for d in $(seq 200); do
    mkdir -p "dir$d"
    for f in $(seq 100); do echo "file $d $f" >"dir$d/f$f.yaml"; done
done
git add -A
git commit -q -m "feat: all"
echo new >dir1/f1.yaml
git add -A
echo "feat: one" >"$work/message"
measure -N -n "git diff --cached" "git diff --cached --raw" \
    -n pre-commit "$portcullis hook run pre-commit" \
    -n commit-msg "$portcullis hook run commit-msg -- $work/message"
# Git reads the index again after a hook, whatever the hook does: what is ours is the rest.
mkdir "$work/nothing" "$work/linked"
for hook in pre-commit commit-msg; do
    printf '#!/bin/sh\n' >"$work/nothing/$hook"
    chmod +x "$work/nothing/$hook"
    ln -s "$portcullis" "$work/linked/$hook"
done
"$portcullis" hook install pre-commit commit-msg >/dev/null
base=$(git rev-parse HEAD)
commit() { echo "git -c core.hooksPath=$1 commit -q -m 'feat: one'"; }
measure --prepare "git reset -q --soft $base" -n "git commit without hooks" "$(commit /nowhere)" \
    -n "git commit with hooks that do nothing" "$(commit "$work/nothing")" \
    -n "git commit with both as links" "$(commit "$work/linked")" \
    -n "git commit with both as shims" "$(commit .git/hooks)"

[ -n "$large" ] || exit 0

# As git sets a push up: new objects wait in a directory of their own, the repository is an alternate of it.
waiting() {
    cd "$2"
    GIT_DIR=. GIT_OBJECT_DIRECTORY="$1" GIT_QUARANTINE_PATH="$1" GIT_ALTERNATE_OBJECT_DIRECTORIES="$2/objects"
    export GIT_DIR GIT_OBJECT_DIRECTORY GIT_QUARANTINE_PATH GIT_ALTERNATE_OBJECT_DIRECTORIES
}

echo "# server: one commit"
git init -q --bare "$work/server.git"
mkdir "$work/one"
echo "$(git -C "$large" rev-parse --path-format=absolute --git-path objects)" >"$work/server.git/objects/info/alternates"
# As `git pack-refs` writes it: without its first line a reader has to sort the file.
{
    echo '# pack-refs with: sorted '
    git -C "$large" for-each-ref --format='%(objectname) %(refname)'
} >"$work/server.git/packed-refs"
old=$(git -C "$large" rev-parse HEAD)
git -C "$work/server.git" symbolic-ref HEAD "$(git -C "$large" symbolic-ref HEAD)"
(
    waiting "$work/one" "$work/server.git"
    GIT_INDEX_FILE=$work/index
    export GIT_INDEX_FILE
    git read-tree "$old"
    blob=$(echo new | git hash-object -w --stdin)
    git update-index --add --cacheinfo "100644,$blob,a/new/file"
    new=$(git commit-tree -p "$old" -m "feat: new" "$(git write-tree --missing-ok)")
    echo "$old $new $(git symbolic-ref HEAD)" >"$work/one.lines"
    unset GIT_INDEX_FILE
    measure -N -n "a shell that reads the lines" "sh -c ': <$work/one.lines'" \
        -n pre-receive "sh -c '$portcullis hook run pre-receive <$work/one.lines'"
)

echo "# server: 2,000 commits"
git init -q --bare "$work/old.git"
mkdir -p "$work/many/pack"
older=$(git -C "$large" rev-list "$old" | sed -n 2001p)
objects() { git -C "$large" rev-list --objects --missing=allow-any "$@"; }
pack() { git -C "$large" pack-objects -q --missing=allow-any "$1" >/dev/null; }
# The repository as it was, as far as anybody will look: the commits at the boundary and their trees.
git -C "$large" rev-list --boundary "$old" --not "$older" | sed -n 's/^-//p' >"$work/boundary"
objects --no-walk --stdin <"$work/boundary" | pack "$work/old.git/objects/pack/pack"
objects "$old" --not "$older" | pack "$work/many/pack/pack"
echo "$older $old refs/heads/main" >"$work/many.lines"
(
    waiting "$work/many" "$work/old.git"
    cp "$work"/many/pack/*.pack "$work/incoming.pack"
    hyperfine --warmup 1 --runs 5 --ignore-failure \
        -n "git index-pack" "git index-pack --threads=2 -o $work/incoming.idx $work/incoming.pack" \
        -n pre-receive "$portcullis hook run pre-receive <$work/many.lines"
)
