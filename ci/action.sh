#!/usr/bin/env bash
# The step of action.yml: inputs in variables become arguments of `portcullis ci`, and fail-on decides what fails.
set -uo pipefail

words=(ci)
[ -z "${BASE:-}" ] || words+=("--base=$BASE")
[ -z "${HEAD:-}" ] || words+=("--head=$HEAD")
[ -z "${POLICY:-}" ] || words+=("--policy=$POLICY")
[ -z "${SARIF:-}" ] || words+=("--format=sarif=$SARIF")
case ${FAIL_ON:-error} in
    error | never) ;;
    warning) words+=(--deny=warnings) ;;
    *)
        echo "::error::fail-on is error, warning or never, not '${FAIL_ON}'"
        exit 2
        ;;
esac
# Split at spaces, without globbing.
set -f
# shellcheck disable=SC2206
words+=(${ARGS:-})

code=0
portcullis "${words[@]}" || code=$?
[ -z "${GITHUB_OUTPUT:-}" ] || echo "exit-code=$code" >>"$GITHUB_OUTPUT"
if [ "$code" = 1 ] && [ "${FAIL_ON:-error}" = never ]; then
    exit 0
fi
exit "$code"
