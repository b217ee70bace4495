#!/bin/sh
# portcullis shim @VERSION@ @DIGEST@
# Written by `portcullis hook install`, taken away by `portcullis hook uninstall`.
# Finds the binary and becomes it: one exec, no fork. Everything else happens in there.

@FIND@
if [ -z "$portcullis" ]; then
@MISSING@
fi
exec "$portcullis" hook run @HOOK@@OPTIONS@ -- @ARGUMENTS@
