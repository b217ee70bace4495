#!/usr/bin/env bash
# Runs them all; what is skipped says why.
set -uo pipefail
cd "$(dirname "$0")" || exit
code=0
run() {
    echo "== $*"
    bash "$@" || { rc=$?; [ $rc = 77 ] || code=1; }
}
run pre-commit.sh pre-commit
run pre-commit.sh prek
run lefthook.sh
run husky.sh
run ci.sh
run formats.sh
run lint.sh
run wheel.sh
exit $code
