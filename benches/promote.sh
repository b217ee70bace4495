#!/usr/bin/env bash
# A promotion plan of many candidates against the same work by git processes: one `git merge-tree` a pick, and the commits.
#
#   benches/promote.sh [CANDIDATES] [FILES]        200 and 20000 without them
#
# Builds a repository of its own. Times on a busy machine say nothing: run it alone. The binary is $PORTCULLIS, else
# target/release/portcullis.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
portcullis=${PORTCULLIS:-$here/target/release/portcullis}
candidates=${1:-200} files=${2:-20000}
for tool in python3 git; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 2; }
done
[ -x "$portcullis" ] || { echo "build it first: cargo build --release --locked" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git init -q --bare "$work/repo"
cd "$work/repo"

# 20,000 files in 200 applications; development changes three at a time, production has 40 commits of its own, among them
# picks with and without trailers, and changes that are in the way.
python3 - "$candidates" "$files" <<'PY' | git fast-import --quiet --force
import random, sys
candidates, files = map(int, sys.argv[1:])
random.seed(1)
out = sys.stdout
text = {f"apps/app{n % 200}/{'base' if n % 3 else 'overlays'}/file{n}.yaml":
        [f"key{i}: value {n} {i}" for i in range(20 + n % 30)] for n in range(files)}
def commit(branch, mark, time, message, changed, start=None):
    out.write(f"commit refs/heads/{branch}\nmark :{mark}\n")
    for role in "author", "committer":
        out.write(f"{role} A U Thor <a@example.org> {time} +0000\n")
    out.write(f"data {len(message)}\n{message}\n")
    if start: out.write(f"from :{start}\n")
    for path, lines in changed.items():
        body = "\n".join(lines) + "\n"
        out.write(f"M 100644 inline {path}\ndata {len(body)}\n{body}\n")
def edit(now, paths, word):
    done = {}
    for path in paths:
        lines = list(now[path])
        lines[random.randrange(len(lines))] = f"{word}: {random.randrange(10 ** 6)}"
        now[path] = done[path] = lines
    return done
commit("dev", 1, 1700000000, "chore: start", text)
out.write("reset refs/heads/main\nfrom :1\n\n")
dev, main, paths, made = dict(text), dict(text), sorted(text), []
for n in range(candidates):
    # Every tenth builds on the one before.
    chosen = [p for p, _ in made[-1].items()] if n % 10 == 9 else random.sample(paths, 3)
    made.append(edit(dev, chosen, f"dev{n}"))
    commit("dev", 2 + n, 1700001000 + n * 60, f"feat(app): change {n}\n", made[-1])
mark = 2 + candidates
for n in range(40):
    if n % 4 == 0:
        at = n * candidates // 60
        changed = {p: dev_lines for p, dev_lines in made[at].items() if main[p] == text[p]}
        time, message = 1700001000 + at * 60, f"feat(app): change {at}\n"
        main.update(changed)
    else:
        near = list(made[random.randrange(candidates)])[:1] if n % 5 == 1 else random.sample(paths, 2)
        changed, time, message = edit(main, near, f"main{n}"), 1700500000 + n * 60, f"fix(app): own {n}\n"
    commit("main", mark, time, message, changed)
    mark += 1
PY
git gc -q

seconds() { python3 -c "import subprocess, sys, time
best = 9e9
for _ in range(int(sys.argv[1])):
    start = time.monotonic(); subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, check=False); best = min(best, time.monotonic() - start)
print(f'{best:.3f}')" "$@"; }

# What a script would do: a merge per candidate onto what stands there.
cat >by-git.sh <<'SH'
tree=$(git rev-parse 'main^{tree}')
git rev-list --reverse --no-merges main..dev | while read -r id; do
    if next=$(git merge-tree --write-tree --merge-base="$id^" "$tree" "$id" 2>/dev/null); then tree=$next; fi
done
SH

echo "$files files, $candidates candidates; best of three"
ours=$(seconds 3 "$portcullis" promote plan --no-check --format json)
judged=$(seconds 3 "$portcullis" promote plan --format json)
git=$(seconds 3 sh by-git.sh)
python3 - "$ours" "$judged" "$git" <<'PY'
import sys
ours, judged, git = map(float, sys.argv[1:])
for what, time in ("git merge-tree, one process a pick", git), ("promote plan --no-check", ours), ("promote plan, judged", judged):
    print(f"  {what:<36} {time * 1000:9.0f} ms {time / git:7.3f} x")
PY
