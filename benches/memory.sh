#!/usr/bin/env bash
# Peak memory on what is large: one file, one blob, a million objects.
#
#   benches/memory.sh [CASE...]
#
# CASE: tree-text tree-binary staged-loose staged-packed history-loose history-packed million; all of them without any.
# Needs git, python3, and 8 GB of disk below $TMPDIR. The binary is $PORTCULLIS, else target/release/portcullis.
# Every large text has a token at its very end: what does not find it has not read it.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
portcullis=${PORTCULLIS:-$here/target/release/portcullis}
[ -x "$portcullis" ] || { echo "build it first: cargo build --release --locked" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

# peak TITLE COMMAND...: peak resident memory, time, exit code, and whether the token was found.
peak() {
    python3 - "$@" <<'PY'
import json, resource, subprocess, sys, time
title, command = sys.argv[1], sys.argv[2:]
started = time.monotonic()
done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
seconds = time.monotonic() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
text = done.stdout.decode(errors="replace")
found = "token found" if "github-pat" in text else ""
print(f"{title:<34} {usage.ru_maxrss / 1024:8.0f} MB {seconds:7.1f} s {usage.ru_utime:7.1f} s user  exit {done.returncode}  {found}")
for error in json.loads(text)["errors"] if text.startswith("{") else []:
    print("    not decided:", error["message"])
PY
}

# large BYTES: text of this length with a token in its last line; the token's checksum is right, its value is made up.
large() {
    python3 - "$1" <<'PY'
import sys, zlib
most, out = int(sys.argv[1]), sys.stdout.buffer
line = b"the quick brown fox jumps over the lazy dog, %09d\n"
block = b"".join(line % n for n in range(20000))
body = b"Zq7Xk2Vw9Rt4Yp1Lm8Nb3Cd6Fg5Hj0"
crc, digits, tail = zlib.crc32(body), b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", []
for _ in range(6):
    tail.insert(0, digits[crc % 62])
    crc //= 62
key = b"\ntoken: ghp" + b"_" + body + bytes(tail) + b"\n"
left = most - len(key)
while left > 0:
    out.write(block[:left])
    left -= len(block)
out.write(key)
PY
}

repository() {
    rm -rf "$work/repo"
    git init -q "$work/repo"
    cd "$work/repo"
    git config user.name bench
    git config user.email bench@example.org
    git commit -q --allow-empty -m "chore: begin"
}

case_of() {
    case $1 in
    tree-text) repository; large 2147483648 >large.sql; peak "work tree, text of 2 GB" "$portcullis" check --format json ;;
    tree-binary) repository; truncate -s 2G large.img; peak "work tree, binary of 2 GB" "$portcullis" check --format json ;;
    staged-loose)
        repository; large 1073741824 >large.sql
        git -c core.bigFileThreshold=2g add large.sql
        peak "staged, loose blob of 1 GB" "$portcullis" check --staged --format json ;;
    staged-packed)
        repository; large 1073741824 >large.sql; git add large.sql
        peak "staged, packed blob of 1 GB" "$portcullis" check --staged --format json ;;
    history-loose)
        repository; large 1073741824 >large.sql
        git -c core.bigFileThreshold=2g add large.sql
        git commit -q -m "feat: large"
        peak "history, loose blob of 1 GB" "$portcullis" check --history --format json ;;
    history-packed)
        repository; large 1073741824 >large.sql; git add large.sql; git commit -q -m "feat: large"
        git repack -q -a -d
        peak "history, packed blob of 1 GB" "$portcullis" check --history --format json
        peak "the same, git fsck" git fsck --no-progress ;;
    million)
        repository
        python3 -c '
import sys
out = sys.stdout
for n in range(250000):
    data = f"name: service-{n}\nreplicas: {n % 7}\nimage: registry.example/{n % 900}:{n}\n"
    out.write(f"commit refs/heads/main\nmark :{n + 1}\ncommitter b <b@example.org> {1700000000 + n} +0000\ndata 12\nfeat: change\n")
    out.write(f"M 100644 inline apps/{n % 500}/{n % 40}.yaml\ndata {len(data)}\n{data}\n")
' | git fast-import --quiet --force
        git reset -q --hard main
        git count-objects -v | grep in-pack
        peak "history of a million objects" "$portcullis" check --history --format json
        peak "the same, git rev-list --objects" git rev-list --objects --all --quiet ;;
    *) echo "no such case: $1" >&2; exit 2 ;;
    esac
}

[ $# -gt 0 ] || set -- tree-text tree-binary staged-loose staged-packed history-loose history-packed million
for name in "$@"; do case_of "$name"; done
