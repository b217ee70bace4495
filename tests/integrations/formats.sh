#!/usr/bin/env bash
# A repository with violations of many families, told in every format; each file is read by somebody else's reader.
set -euo pipefail
# shellcheck source=tests/integrations/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 -m venv "$work/venv" 2>/dev/null || skip "python3 cannot make a venv"
"$work/venv/bin/pip" install -q jsonschema junitparser sarif-tools pyyaml 2>/dev/null ||
    skip "the validators cannot be installed from the package index"
command -v ssh-keygen >/dev/null || skip "ssh-keygen is not installed"
machine
cat >portcullis.yaml <<'POLICY'
version: 1
extends: [dev-main]
assertions:
  - { id: replicas, files: "deploy/*.yaml", path: replicas, equals: 2, message: two replicas, severity: error }
POLICY
git add -A
git commit -q -m 'chore: add the policy'
git switch -q -c dev
echo dev >dev.txt
git add -A
git commit -q -m 'feat: only on dev'
git push -q origin main dev
git switch -q main
base=$(git rev-parse HEAD)
mkdir deploy
echo 'replicas: 1' >deploy/app.yaml
echo 'includeKey: true' >wmill.yaml
echo 'A=1' >.env
key deploy/key
git add -f -A
git commit -q -m 'Everything wrong.'
git merge -q --no-ff -m 'Merge branch dev' dev
git tag v1.0
new=$(git rev-parse HEAD)
zero=$(printf '%040d' 0)
printf '%s %s refs/heads/main\n%s %s refs/tags/v1.0\n' "$base" "$new" "$zero" "$(git rev-parse v1.0)" >"$work/push"
words=()
for format in json jsonl sarif github gitlab gitlab-secrets junit checkstyle rdjson; do
    words+=("--format" "$format=$work/out.$format")
done
code=0
portcullis check --push "$work/push" "${words[@]}" >"$work/said" || code=$?
[ "$code" = 1 ] || fail "exit code $code instead of 1"
cd "$work"
venv/bin/python - "$root" <<'PYTHON'
import json, sys, xml.etree.ElementTree as xml
import jsonschema, junitparser, yaml
from sarif import loader

root = sys.argv[1]
load = lambda name: json.load(open(name))
report = load("out.json")
for name in ("report", "portcullis"):
    jsonschema.Draft202012Validator.check_schema(load(f"{root}/docs/{name}.schema.json"))
jsonschema.validate(report, load(f"{root}/docs/report.schema.json"))
jsonschema.validate(yaml.safe_load(open("shop/portcullis.yaml")), load(f"{root}/docs/portcullis.schema.json"))
families = {f["rule"].split("/")[0] for f in report["findings"]}
wanted = {"secrets", "files", "conventional-commits", "semver-tags", "branch-topology", "windmill", "assertions"}
assert wanted <= families, (wanted - families, [(f["rule"], f["origin"]) for f in report["findings"]], report["errors"], report["notes"])
count = len(report["findings"])
assert len([json.loads(l) for l in open("out.jsonl")]) >= count
sarif = loader.load_sarif_file("out.sarif")
assert sarif.get_result_count() == count, sarif.get_result_count()
issues = load("out.gitlab")
assert len({i["fingerprint"] for i in issues}) == len(issues) > 0
for i in issues:
    assert i["severity"] in ("info", "minor", "major", "critical", "blocker") and i["location"]["lines"]["begin"] >= 1
assert load("out.gitlab-secrets")["vulnerabilities"], "the key"
assert junitparser.JUnitXml.fromfile("out.junit").failures > 0
assert xml.parse("out.checkstyle").getroot().tag == "checkstyle"
assert load("out.rdjson")["diagnostics"]
errors = [l for l in open("out.github") if l.startswith("::error")]
assert 0 < len(errors) <= 10
print(f"{count} findings of {len(families)} families, read in nine formats: {', '.join(sorted(families))}")
PYTHON
