#!/usr/bin/env bash
# What the rules on the branch graph cost at a push of 100 commits to a repository of 50,000, against git's own questions.
#
#   benches/topology.sh [--keep DIR]
#
# Makes the repository with git fast-import: `dev` and `main` diverged long ago, everything that main has of dev is a
# release tag's. Needs hyperfine and python3. The binary is $PORTCULLIS, else target/release/portcullis.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
portcullis=${PORTCULLIS:-$here/target/release/portcullis}
runs=${RUNS:-15}
for tool in hyperfine python3 git; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 2; }
done
[ -x "$portcullis" ] || { echo "build it first: cargo build --release --locked" >&2; exit 2; }
if [ "${1-}" = --keep ]; then
    work=$2
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

# 50,000 commits: dev grows by topics of four commits and a merge, main by fixes, and every 2,500 commits by a release
# tag of dev. Files: 400, a few lines each.
stream() {
    python3 - <<'PY'
import sys
out = sys.stdout.buffer
marks, clock = 0, 1_500_000_000

def commit(ref, message, parents, files):
    global marks, clock
    marks += 1
    clock += 60
    who = f"A <a@example.org> {clock} +0000"
    lines = [f"commit {ref}", f"mark :{marks}", f"author {who}", f"committer {who}", f"data {len(message)}", message]
    for n, parent in enumerate(parents):
        lines.append(("from" if n == 0 else "merge") + f" :{parent}")
    for path, content in files:
        lines += [f"M 100644 inline {path}", f"data {len(content)}", content]
    out.write(("\n".join(lines) + "\n\n").encode())
    return marks

def path(n):
    return f"d{n % 20}/f{n % 400}.txt"

body = lambda n: f"{n}\n" + "a line\n" * 20
policy = "version: 1\nextends: [dev-main]\n"
main = commit("refs/heads/main", "chore: begin", [], [("portcullis.yaml", policy)])
dev, tag, n, state = main, 0, 0, {}
while marks < 50_000:
    tip = dev
    for _ in range(4):
        n += 1
        state[path(n)] = body(n)
        tip = commit("refs/heads/topic", f"feat: change {n}", [tip], [(path(n), body(n))])
    dev = commit("refs/heads/dev", f"Merge branch 'topic/{n}' into dev", [dev, tip], [(path(i), body(i)) for i in range(n - 3, n + 1)])
    if marks % 10 < 5:
        main = commit("refs/heads/main", f"fix: main {n}", [main], [(f"fixes/f{n % 50}.txt", body(n))])
    if marks // 2_500 > tag and marks < 40_000:
        tag = marks // 2_500
        out.write(f"reset refs/tags/v1.{tag}.0\nfrom :{dev}\n\n".encode())
        main = commit("refs/heads/main", f"Merge tag 'v1.{tag}.0'", [main, dev], state.items())
out.write(b"reset refs/heads/topic\nfrom 0000000000000000000000000000000000000000\n\ndone\n")
PY
}

# pushes REPO: 100 commits of main's own; 100 copies of dev's latest with -x; 100 copies that do not say so, of files
# that differ further down, so that only their patches are equal; a merge of dev.
pushes() {
    local repo=$1
    python3 - "$repo" <<'PY'
import subprocess, sys
repo = sys.argv[1]
git = lambda *a: subprocess.run(["git", "-C", repo, *a], check=True, capture_output=True, text=True).stdout.strip()
main = git("rev-parse", "main")
shown = git("log", "-100", "--no-merges", "--format=%H", "dev").split()[::-1]
out = []
def commit(ref, n, message, files):
    who = f"A <a@example.org> {1_600_000_000 + 60 * n} +0000"
    out.append(f"commit refs/x/{ref}\nauthor {who}\ncommitter {who}\ndata {len(message)}\n{message}\n")
    if n == 0:
        out.append(f"from {main}\n")
    out.extend(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files)
    out.append("\n")

path = {o: git("diff-tree", "--no-commit-id", "--name-only", "-r", o) for o in shown}
text = lambda rev, o: git("show", f"{rev}:{path[o]}") + "\n"
drifted = lambda rev, o: text(rev, o).replace("a line\n" * 5, "a line\n" * 4 + "a line that differs\n", 2)
commit("drifted", 0, "fix: something further down", [(path[o], drifted(f"{o}^", o)) for o in shown])
for n, o in enumerate(shown):
    subject = git("log", "-1", "--format=%s", o)
    commit("own", n, f"fix: own {n}", [(f"own/f{n % 20}.txt", f"own {n}\n")])
    commit("copies", n, f"{subject}\n\n(cherry picked from commit {o})", [(path[o], text(o, o))])
    commit("drifted", n + 1, subject, [(path[o], drifted(o, o))])
who = "A <a@example.org> 1600100000 +0000"
out.append(f"commit refs/x/leak\nauthor {who}\ncommitter {who}\ndata 18\nMerge branch 'dev'\nfrom {main}\nmerge {git('rev-parse', 'dev')}\n\n")
subprocess.run(["git", "-C", repo, "fast-import", "--quiet"], input="".join(out).encode(), check=True)
PY
}

repo=$work/graph.git
if [ ! -d "$repo" ]; then
    git init -q --bare -b main "$repo"
    stream | git -C "$repo" fast-import --quiet --done
    pushes "$repo"
    # What a push brings stands beside the repository, as in a quarantine.
    for ref in own copies drifted leak; do
        mkdir -p "$work/$ref/pack"
        echo "$(git -C "$repo" rev-parse main) $(git -C "$repo" rev-parse refs/x/$ref) refs/heads/main" >"$work/$ref/push"
        printf 'refs/x/%s\n^main\n^dev\n' "$ref" | git -C "$repo" pack-objects -q --revs "$work/$ref/pack/pack" >/dev/null
    done
    for ref in own copies drifted leak; do git -C "$repo" update-ref -d "refs/x/$ref"; done
    git -C "$repo" repack -q -a -d -f
    git -C "$repo" prune --expire=now
fi
cd "$repo"
echo "$(git rev-list --count --all) commits, $(git rev-list --count main..dev) on dev alone"
off=
for family in conventional-commits semver-tags secrets files windmill divergence deployments; do
    off="$off  $family: { severity: off }"$'\n'
done
printf 'version: 1\nextends: [dev-main]\nrules:\n%s' "$off" >"$work/all.yaml"
{ cat "$work/all.yaml"; for code in squash-leak no-provenance; do echo "  branch-topology/$code: { severity: off }"; done; } >"$work/graph-only.yaml"

# measure TITLE DIRECTORY: git's two questions, the verdict on the graph, and with the content rules.
measure() {
    local push=$work/$2 old new
    read -r old new _ <"$push/push"
    local hook="$portcullis hook run pre-receive --server gitea"
    env GIT_QUARANTINE_PATH="$push" GIT_OBJECT_DIRECTORY="$push" GIT_ALTERNATE_OBJECT_DIRECTORIES="$repo/objects" \
        GITEA_PR_ID=1 GIT_DIR="$repo" \
        hyperfine --warmup 3 --runs "$runs" --ignore-failure --style none --export-json "$work/times.json" \
        -n "git merge-base --is-ancestor; git rev-list" "git merge-base --is-ancestor $old $new; git rev-list $new ^$old" \
        -n "the binary's start" "$portcullis --version" \
        -n "the verdict on the graph" "$hook --policy $work/graph-only.yaml -- <$push/push" \
        -n "with squashes and copies" "$hook --policy $work/all.yaml -- <$push/push" >/dev/null 2>&1
    python3 - "$1" "$work/times.json" <<'PY'
import json, sys
title, file = sys.argv[1:]
results = json.load(open(file))["results"]
floor = results[0]
print(f"\n{title}")
for r in results:
    cpu, base = r["user"] + r["system"], floor["user"] + floor["system"]
    print(f"  {r['command']:<44} {r['median'] * 1000:8.1f} ms {r['median'] / floor['median']:6.2f} x   cpu {cpu * 1000:8.1f} ms {cpu / base:6.2f} x")
PY
}

for graph in without with; do
    if [ $graph = with ]; then git commit-graph write --reachable 2>/dev/null; else rm -rf objects/info/commit-graph*; fi
    measure "100 commits of main's own, $graph commit-graph" own
    measure "100 copies with their originals' ids, $graph commit-graph" copies
    measure "100 copies known by their patches only, $graph commit-graph" drifted
    measure "a merge of dev, $graph commit-graph" leak
done
