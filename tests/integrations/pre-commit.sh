#!/usr/bin/env bash
# .pre-commit-hooks.yaml under pre-commit and prek: tests/integrations/pre-commit.sh [pre-commit|prek]
set -euo pipefail
# shellcheck source=tests/integrations/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
runner=${1:-pre-commit}
if ! command -v "$runner" >/dev/null; then
    python3 -m venv "$work/venv" 2>/dev/null || skip "$runner is not installed, and python3 cannot make a venv"
    "$work/venv/bin/pip" install -q "$runner" 2>/dev/null || skip "$runner cannot be installed from the package index"
    PATH=$work/venv/bin:$PATH
fi
machine
# The hooks as they are, but with the binary that is here: building it again is cargo's test, not this one.
git init -q "$work/hooks"
sed 's/language: rust/language: system/' "$root/.pre-commit-hooks.yaml" >"$work/hooks/.pre-commit-hooks.yaml"
git -C "$work/hooks" add .
git -C "$work/hooks" commit -q -m 'feat: hooks'
git -C "$work/hooks" tag v0
cat >.pre-commit-config.yaml <<CONFIG
default_install_hook_types: [pre-commit, commit-msg, pre-push]
repos:
  - repo: file://$work/hooks
    rev: v0
    hooks:
      - id: portcullis-pre-commit
      - id: portcullis-commit-msg
      - id: portcullis-pre-push
CONFIG
"$runner" install >/dev/null
story
