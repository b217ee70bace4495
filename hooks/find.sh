portcullis=@BINARY@
if ! [ -f "$portcullis" ] || ! [ -x "$portcullis" ]; then
    set -f
    IFS=:
    for directory in ${PATH-} "${HOME-}/.cargo/bin" "${HOME-}/.local/bin" /usr/local/bin /opt/homebrew/bin; do
        portcullis=$directory/portcullis
        case $directory in /*) [ -f "$portcullis" ] && [ -x "$portcullis" ] && break ;; esac
        portcullis=
    done
    set +f
    unset IFS
fi
