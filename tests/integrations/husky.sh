#!/usr/bin/env bash
# The husky snippet of docs/ci.md.
set -euo pipefail
# shellcheck source=tests/integrations/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v npm >/dev/null || skip "npm is not installed"
machine
echo node_modules >.gitignore
echo '{ "private": true }' >package.json
npm install --silent --save-dev husky >/dev/null 2>&1 || skip "husky cannot be installed with npm"
npx husky init >/dev/null 2>&1 || true
rm -f .husky/pre-commit
awk '/^### husky/{s=1} s&&/^```text/{p=1;next} p&&/^```/{exit} p' "$root/docs/ci.md" >snippet.sh
[ -s snippet.sh ] || fail "there is no snippet in docs/ci.md"
sh -e snippet.sh
rm snippet.sh
story
