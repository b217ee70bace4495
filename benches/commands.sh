#!/usr/bin/env bash
# Whole commands against git, ripgrep and other scanners: same corpus, same run, medians, ratios, peak memory.
#
#   benches/commands.sh [--quick] CORPUS...
#
# CORPUS: a git repository with a work tree. Needs hyperfine and python3; peers are used when they are on the PATH.
# Each scanner runs with all its rules and asks nobody on the network. A clone that lacks blobs is no corpus.
# Times on a busy machine say nothing: run it alone. The binary is $PORTCULLIS, else target/release/portcullis.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
portcullis=${PORTCULLIS:-$here/target/release/portcullis}
runs=10
if [ "${1-}" = --quick ]; then runs=3; shift; fi
[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
for tool in hyperfine python3 git; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 2; }
done
[ -x "$portcullis" ] || { echo "build it first: cargo build --release --locked" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# measure TITLE FLOOR-NAME FLOOR-COMMAND [NAME COMMAND]...: medians, ratios to the floor, peak memory.
measure() {
    local title=$1 args=()
    shift
    while [ $# -gt 0 ]; do
        args+=(-n "$1" "$2")
        shift 2
    done
    hyperfine --warmup 1 --runs "$runs" --ignore-failure --style none --export-json "$work/times.json" "${args[@]}" >/dev/null 2>&1
    python3 - "$title" "$work/times.json" "${args[@]}" <<'PY'
import json, os, resource, subprocess, sys
title, file, *args = sys.argv[1:]
results = json.load(open(file))["results"]
floor = results[0]["median"]
print(f"\n{title}")
for r, command in zip(results, args[2::3]):
    # The most that one process of it held, mapped files included.
    child = subprocess.Popen(command, shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    # A child begins with what its parent held, which is this program's own until it became another.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    held = f"{usage.ru_maxrss / 1024:8.0f} MiB" if usage.ru_maxrss > own * 1.1 else f"   < {own * 1.1 / 1024:3.0f} MiB"
    print(f"  {r['command']:<34} {r['median'] * 1000:10.1f} ms {r['median'] / floor:8.2f} x {held}")
PY
}

# Noseyparker passes over what its datastore has seen: each run gets a new one.
fresh="\$(mktemp -u -p $work)"
# have NAME COMMAND: adds a peer to the list if its program is there.
peers=()
have() { if command -v "${2%% *}" >/dev/null; then peers+=("$1" "$2"); fi; }

echo "$(date -u +%F), $(uname -sm), $(nproc) cores, $(git --version), $("$portcullis" --version)"
for peer in rg gitleaks betterleaks kingfisher noseyparker ripsecrets detect-secrets; do
    command -v "$peer" >/dev/null && echo "$peer: $("$peer" --version 2>/dev/null | head -1)"
done

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
    measure "staged, one file" \
        "git diff --cached --raw" "git -C $work/staged diff --cached --raw" \
        "portcullis check --staged" "$portcullis -C $work/staged check --staged" "${peers[@]}"
    rm -rf "$work/staged"

    peers=()
    have "gitleaks" "gitleaks dir --no-banner ."
    have "betterleaks" "betterleaks dir --no-banner ."
    have "kingfisher" "kingfisher scan --no-validate --no-update-check --git-history none ."
    have "noseyparker" "noseyparker scan --git-history none -d $fresh --progress never ."
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
        have "kingfisher" "kingfisher scan --no-validate --no-update-check ."
        have "noseyparker" "noseyparker scan -d $fresh --progress never ."
        measure "history" \
            "git cat-file --batch-all-objects" "git cat-file --batch-all-objects --batch --buffer" \
            "portcullis check --history" "$portcullis check --history" \
            "portcullis --only secrets" "$portcullis check --history --only secrets" "${peers[@]}"
        runs=10
    fi
done
