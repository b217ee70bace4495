#!/usr/bin/env bash
# A repository with a violation of every rule, told in every format; each file is read by somebody else's reader.
# What is read is what the test `report::every_rule` had the binary write.
set -euo pipefail
# shellcheck source=tests/integrations/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v cargo >/dev/null || skip "cargo is not installed"
python3 -m venv "$work/venv" 2>/dev/null || skip "python3 cannot make a venv"
"$work/venv/bin/pip" install -q jsonschema junitparser sarif-tools pyyaml markdown-it-py 2>/dev/null ||
    skip "the validators cannot be installed from the package index"
(cd "$root" && cargo test -q --test suite report::every_rule) >"$work/said" 2>&1 || fail "the repository"
written=${CARGO_TARGET_DIR:-$root/target}/tmp/every-rule
# Microsoft's validator, with the published schema and what GitHub's code scanning asks for beside it.
multitool=$work/npm/node_modules/@microsoft/sarif-multitool-linux
schema=()
if command -v npm >/dev/null && npm install --silent --prefix "$work/npm" @microsoft/sarif-multitool-linux >/dev/null 2>&1; then
    schema=("$multitool/sarif-2.1.0.json")
    for run in "$written"/*/sarif; do
        cp "$run" "$work/$(basename "$(dirname "$run")").sarif"
    done
    # Its other rules would look addresses up.
    "$multitool/Sarif.Multitool" validate "$work"/*.sarif --rule-kind Ghas --level "Error;Warning" --kind Fail \
        --output "$work/validated" --log ForceOverwrite >"$work/said" 2>&1 || fail "code scanning would refuse them"
    ! grep -q '"ruleId"' "$work/validated" || fail "code scanning would complain: $(grep -m 3 -A 3 '"ruleId"' "$work/validated")"
    echo "code scanning takes all of them"
fi
"$work/venv/bin/python" "$root/tests/integrations/formats.py" "$root" "$written" "${schema[@]}"
