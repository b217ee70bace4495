#!/usr/bin/env bash
# action.yml and ci/gitlab.yml, their scripts run as their runners run them, on a push that is good and one that is not.
set -euo pipefail
# shellcheck source=tests/integrations/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 -m venv "$work/venv" 2>/dev/null || skip "python3 cannot make a venv"
"$work/venv/bin/pip" install -q pyyaml 2>/dev/null || skip "pyyaml cannot be installed from the package index"
steps() { "$work/venv/bin/python" "$root/tests/integrations/steps.py" "$@"; }
machine
base=$(git rev-parse HEAD)
echo fine >fine.txt
git add -A
git commit -q -m 'feat: fine'
good=$(git rev-parse HEAD)
git commit -q --allow-empty -m 'no type'
bad=$(git rev-parse HEAD)

# What install.sh downloads, served from a directory.
mkdir "$work/release"
for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl x86_64-apple-darwin aarch64-apple-darwin; do
    tar -czf "$work/release/portcullis-$target.tar.gz" -C "$(dirname "$portcullis")" portcullis
    (cd "$work/release" && { sha256sum "portcullis-$target.tar.gz" 2>/dev/null || shasum -a 256 "portcullis-$target.tar.gz"; } \
        >"portcullis-$target.tar.gz.sha256")
done
export PORTCULLIS_BASE_URL=file://$work/release
rm "$work/bin/portcullis"

# A job of GitHub for a push to main.
export RUNNER_TEMP=$work/temp
mkdir "$RUNNER_TEMP"
job() {
    git reset -q --hard "$1"
    printf '{"before":"%s","after":"%s","ref":"refs/heads/main","forced":false,"repository":{"default_branch":"main"}}' \
        "$base" "$1" >"$work/event.json"
    rm -f "$work/output" "$work/summary"
    shift
    GITHUB_ACTIONS=true GITHUB_EVENT_NAME=push GITHUB_EVENT_PATH=$work/event.json GITHUB_REF=refs/heads/main \
        GITHUB_SHA=$(git rev-parse HEAD) GITHUB_OUTPUT=$work/output GITHUB_STEP_SUMMARY=$work/summary \
        steps action "$root/action.yml" "$@"
}
passes 'the action installs a release and judges a good push' job "$good" version=v0.1.0
[ -x "$RUNNER_TEMP/portcullis-bin/portcullis" ] || fail "the action installed nothing"
grep -qx 'exit-code=0' "$work/output" || fail "the output of the action"
refused 'a bad push, by the action' job "$bad" sarif-file="$work/out.sarif" version=v0.1.0
grep -qx 'exit-code=1' "$work/output" || fail "the output of the action"
grep -q '^::error ' "$work/said" || fail "there is no annotation"
grep -q 'conventional-commits/type-missing' "$work/summary" || fail "the step summary"
grep -q '"ruleId": "conventional-commits/type-missing"' "$work/out.sarif" || fail "the SARIF file"
passes 'a bad push, where fail-on is never' job "$bad" fail-on=never version=v0.1.0
passes 'further arguments' job "$bad" 'args=--only files --quiet' version=v0.1.0

# A job of GitLab for a branch. Its image's package manager and download are played here.
mkdir "$work/gitlab"
printf '#!/bin/sh\nexit 0\n' >"$work/gitlab/apk"
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1 $2" = "-q -O" ] || exit 1\ncp "%s/install.sh" "$3"\n' "$root" >"$work/gitlab/wget"
chmod +x "$work/gitlab"/*
PATH=$work/gitlab:$work/gitlab/bin:$PATH
sed "s#/usr/local/bin#$work/gitlab/bin#; s#/tmp/install.sh#$work/install.sh#g" "$root/ci/gitlab.yml" >"$work/gitlab.yml"
branch() {
    git reset -q --hard "$1"
    GITLAB_CI=true CI_PIPELINE_SOURCE=push CI_COMMIT_SHA=$1 CI_COMMIT_BEFORE_SHA=$base CI_COMMIT_BRANCH=main \
        CI_COMMIT_REF_NAME=main CI_DEFAULT_BRANCH=main steps gitlab "$work/gitlab.yml"
}
passes 'the job of GitLab on a good push' branch "$good"
[ -x "$work/gitlab/bin/portcullis" ] || fail "the job installed nothing"
refused 'a bad push, by the job of GitLab' branch "$bad"
for report in gl-code-quality-report.json portcullis.xml; do
    grep -q 'conventional-commits/type-missing' "$report" || fail "$report"
done
