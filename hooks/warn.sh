    echo "portcullis: the binary is not there, so the @HOOK@ hook checks nothing" >&2
