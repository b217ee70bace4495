#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh environment and runs what it holds. PROFILE=dev builds without optimising.
set -euo pipefail
# shellcheck source=tests/integrations/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 -m venv "$work/build" 2>/dev/null || skip "python3 cannot make a venv"
"$work/build/bin/pip" install -q 'maturin>=1.7,<2' 2>/dev/null || skip "maturin cannot be installed from the package index"
cd "$root"
"$work/build/bin/maturin" build --locked --profile "${PROFILE:-release}" --out "$work/wheels" >"$work/said" 2>&1 || fail "the wheel cannot be built"
python3 -m venv "$work/fresh"
"$work/fresh/bin/pip" install -q --no-index "$work"/wheels/*.whl
machine
rm "$work/bin/portcullis"
PATH=$work/fresh/bin:$PATH
case $(command -v portcullis) in "$work/fresh/"*) ;; *) fail "another portcullis was found" ;; esac
passes 'the version' portcullis --version
passes 'a check' portcullis check
passes 'installing the hooks' portcullis hook install
story
