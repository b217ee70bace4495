#!/usr/bin/env bash
# Whole commands against git, ripgrep and other scanners: same corpus, same run, ratios.
#
#   benches/commands.sh [--quick] CORPUS...
#
# CORPUS: a git repository with a work tree. Needs hyperfine and python3; peers are used when they are on the PATH.
# Times on a busy machine say nothing: run it alone. The binary is $PORTCULLIS, else target/release/portcullis.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
portcullis=${PORTCULLIS:-$here/target/release/portcullis}
runs=10
if [ "${1-}" = --quick ]; then runs=3; shift; fi
[ $# -gt 0 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
for tool in hyperfine python3 git; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 2; }
done
[ -x "$portcullis" ] || { echo "build it first: cargo build --release --locked" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# measure TITLE FLOOR-NAME FLOOR-COMMAND [NAME COMMAND]...: medians, and ratios to the floor.
measure() {
    local title=$1 args=()
    shift
    while [ $# -gt 0 ]; do
        args+=(-n "$1" "$2")
        shift 2
    done
    hyperfine --warmup 2 --runs "$runs" --ignore-failure --style none --export-json "$work/times.json" "${args[@]}" >/dev/null 2>&1
    python3 - "$title" "$work/times.json" <<'PY'
import json, sys
title, file = sys.argv[1:]
results = json.load(open(file))["results"]
floor = results[0]["median"]
print(f"\n{title}")
for r in results:
    print(f"  {r['command']:<34} {r['median'] * 1000:10.1f} ms {r['median'] / floor:8.2f} x")
PY
}

# have NAME COMMAND: adds a peer to the list if its program is there.
peers=()
have() { if command -v "${2%% *}" >/dev/null; then peers+=("$1" "$2"); fi; }

for corpus in "$@"; do
    cd "$corpus"
    echo "== $(basename "$corpus"): $(git ls-files | wc -l) files, $(git rev-list --count HEAD) commits"

    # The index against HEAD, one file staged: in a clone, so that the corpus stays as it is.
    git clone -q --shared --no-checkout . "$work/staged" 2>/dev/null
    git -C "$work/staged" read-tree HEAD
    blob=$(echo "feature: on" | git -C "$work/staged" hash-object -w --stdin)
    git -C "$work/staged" update-index --add --cacheinfo "100644,$blob,zz-staged.yaml"
    peers=()
    have "gitleaks" "gitleaks git --staged --no-banner $work/staged"
    have "ripsecrets" "ripsecrets $work/staged"
    measure "staged, one file" \
        "git diff --cached --raw" "git -C $work/staged diff --cached --raw" \
        "portcullis check --staged" "$portcullis -C $work/staged check --staged" "${peers[@]}"
    rm -rf "$work/staged"

    peers=()
    have "gitleaks" "gitleaks dir --no-banner ."
    have "betterleaks" "betterleaks dir --no-banner ."
    have "kingfisher" "kingfisher scan --no-validate --git-history none ."
    have "noseyparker" "noseyparker scan --git-history none -d $work/np --progress never ."
    have "ripsecrets" "ripsecrets ."
    have "detect-secrets" "detect-secrets scan"
    measure "work tree" \
        "rg -j2, one literal" "rg -c zzzzqq -j2 --hidden" \
        "portcullis check" "$portcullis check" \
        "portcullis check --only secrets" "$portcullis check --only secrets" "${peers[@]}"

    range="HEAD~500..HEAD"
    if git rev-parse -q --verify "HEAD~500" >/dev/null; then
        measure "range of 500 first parents" \
            "git log --raw" "git log --raw --format=%H $range" \
            "git log -p" "git log -p $range" \
            "portcullis check --range" "$portcullis check --range $range"
    fi

    if [ "$runs" -gt 3 ]; then
        runs=3
        peers=()
        have "gitleaks" "gitleaks git --no-banner ."
        have "noseyparker" "noseyparker scan -d $work/nph --progress never ."
        measure "history" \
            "git cat-file --batch-all-objects" "git cat-file --batch-all-objects --batch --buffer" \
            "portcullis check --history" "$portcullis check --history" "${peers[@]}"
        runs=10
    fi
done
