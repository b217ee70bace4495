#!/usr/bin/env bash
# The lefthook snippet of docs/ci.md.
set -euo pipefail
# shellcheck source=tests/integrations/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v npm >/dev/null || command -v lefthook >/dev/null || skip "neither lefthook nor npm is installed"
machine
if ! command -v lefthook >/dev/null; then
    npm install --silent --prefix "$work/npm" lefthook >/dev/null 2>&1 || skip "lefthook cannot be installed with npm"
    PATH=$work/npm/node_modules/.bin:$PATH
fi
awk '/^### lefthook/{s=1} s&&/^```yaml/{p=1;next} p&&/^```/{exit} p' "$root/docs/ci.md" >lefthook.yml
mkdir -p .lefthook/pre-push
awk '/^### lefthook/{s=1} s&&/^```text/{p=1;next} p&&/^```/{exit} p' "$root/docs/ci.md" >.lefthook/pre-push/portcullis
chmod +x .lefthook/pre-push/portcullis
[ -s lefthook.yml ] || fail "there is no snippet in docs/ci.md"
lefthook install >/dev/null 2>&1
story
