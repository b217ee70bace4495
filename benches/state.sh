#!/usr/bin/env bash
# The rules on state over a made-up tree of 5,000 YAML files: megabytes judged in a second of one core, and what a
# commit that touches none of the watched files reads.
#
#   benches/state.sh [FILES]
#
# Needs python3 and git. The binary is $PORTCULLIS, else target/release/portcullis. CPU time is what is divided, so a
# busy machine disturbs it less than it does the wall clock, but it does.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
portcullis=${PORTCULLIS:-$here/target/release/portcullis}
files=${1:-5000}
[ -x "$portcullis" ] || { echo "build it first: cargo build --release --locked" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

git init -q -b main "$work/tree"
cd "$work/tree"
python3 - "$files" <<'PY'
import os, random, sys
random.seed(7)
count = int(sys.argv[1])
def put(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    open(path, "w").write(text)
def variables(prefix, n, env):
    return "".join(f"  {prefix}_{k}: value-{k}-{'x' * (k % 40)}\n" for k in range(n)) + f"  {prefix}_HOST: {prefix.lower()}.{env}.example.org\n"
put("wmill.yaml", "defaultTs: bun\nincludes: ['f/**']\nskipSecrets: true\nincludeKey: false\n")
put("portcullis.yaml", """version: 1
extends: [dev-main]
environments:
  staging: { branch: dev }
  production: { branch: main }
rules:
  divergence:
    default: must_match
    sources:
      - { id: apps, format: k8s-config, path: "apps/{environment}/*.yaml" }
    keys:
      - { rule: must_differ, match: ["**/*_HOST"] }
assertions:
  - { id: replicas, files: "deploy/**/*.yaml", path: spec.replicas, present: true, message: say how many, severity: warning }
""")
deployment = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n}
  labels: {{ app.kubernetes.io/name: app-{n}, team: "t{t}" }}
spec:
  replicas: {r}
  selector: {{ matchLabels: {{ app: app-{n} }} }}
  template:
    spec:
      containers:
"""
container = """        - name: c{k}
          image: registry.example.org/team/app-{n}:1.{k}.0
          args: ["--listen=:80{k}", "--log-level", info]
          env:
            - {{ name: LOG_FORMAT, value: json }}
            - name: FEATURE_{k}
              valueFrom: {{ configMapKeyRef: {{ name: app-{n}, key: feature-{k} }} }}
          resources:
            requests: {{ cpu: 100m, memory: 128Mi }}
            limits:
              memory: 256Mi
"""
for n in range(count):
    kind = n % 10
    if kind < 5:
        body = deployment.format(n=n, t=n % 9, r=n % 4) + "".join(container.format(k=k, n=n) for k in range(3 + n % 9))
        put(f"deploy/team-{n % 40}/app-{n}.yaml", body)
    elif kind < 7:
        env = ("staging", "production")[kind - 5]
        m = n - kind
        put(f"apps/{env}/app-{m}.yaml", f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-{m}\ndata:\n" + variables(f"APP{m}", 30 + m % 50, env))
    elif kind == 7:
        put(f"argocd/app-{n}.yaml", f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: app-{n}\nspec:\n  source:\n    repoURL: https://git.example.org/deploy\n    targetRevision: main\n    path: deploy/team-{n % 40}\n  destination: {{ namespace: app-{n} }}\n" + "".join(f"  # {'note ' * 12}{k}\n" for k in range(30)))
    elif kind == 8:
        put(f"f/team/resource_{n}.resource.yaml", f"description: '{'words ' * 20}'\nvalue:\n" + "".join(f"  field_{k}: setting {k}\n" for k in range(60)) + f"  password: $var:f/team/secret_{n}\nresource_type: postgresql\n")
        put(f"f/team/secret_{n}.variable.yaml", "description: a password\nvalue: ''\nis_secret: true\n")
    else:
        put(f"f/team/flow_{n}.flow/flow.yaml", "summary: flow\nvalue:\n  modules:\n" + "".join(f"    - id: s{k}\n      value:\n        type: script\n        path: f/team/script_{k}\n        input_transforms:\n          db: {{ type: static, value: $res:f/team/resource_8 }}\n" for k in range(12)))
PY
git add -A
git -c user.name=B -c user.email=b@example.org -c commit.gpgsign=false commit -q -m 'chore: a tree of manifests'

families=(--only windmill --only divergence --only deployments --only assertions)
python3 - "$portcullis" "${families[@]}" <<'PY'
import os, pathlib, resource, statistics, subprocess, sys
size = sum(p.stat().st_size for p in pathlib.Path(".").rglob("*.y*ml") if ".git/" not in str(p))
number = sum(1 for _ in pathlib.Path(".").rglob("*.y*ml"))
def cpu(*args):
    times = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = subprocess.run([sys.argv[1], "check", "--jobs", "1", *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert code in (0, 1), code
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(times)
print(f"{number} files, {size / 1e6:.1f} MB")
for name, args in [("rules on state", sys.argv[2:]), ("  at a commit", ["--ref", "HEAD", *sys.argv[2:]]), ("all rules", [])]:
    t = cpu(*args)
    print(f"  {name:<18} {t * 1000:8.1f} ms CPU {size / 1e6 / t:8.1f} MB/s a core")
PY
echo notes >README.md
git add README.md
"$portcullis" check --staged "${families[@]}" --stats | tail -12
