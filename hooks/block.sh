# >>> portcullis block @VERSION@ @DIGEST@ >>>
# Written by `portcullis hook install`, taken away by `portcullis hook uninstall`.
# Hands over to portcullis, which runs the rest of this file first (its child, then: PORTCULLIS_CHAIN) and then judges.
if [ "${PORTCULLIS_CHAIN-}" != "$PPID" ] && { [ "$PPID" != 1 ] || [ -z "${PORTCULLIS_CHAIN-}" ]; }; then
@FIND@
if [ -n "$portcullis" ]; then
    exec "$portcullis" hook run @HOOK@ --chain "$0" -- "$@"
fi
@MISSING@
fi
# <<< portcullis block <<<
