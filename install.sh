#!/bin/sh
# Puts portcullis in place: a release archive whose checksum holds, else built from source with cargo. No sudo.
#
#   sh install.sh [--dir DIR] [--version VERSION] [--source] [--hooks]
#
#   --dir DIR          where the binary goes (default: ~/.local/bin)
#   --version VERSION  a release other than the newest
#   --source           build it, even where there is an archive
#   --hooks            then run `portcullis hook install` in this repository
#
# PORTCULLIS_REPOSITORY  the project's URL: releases are below it, and cargo can build it
# PORTCULLIS_BASE_URL    a directory with portcullis-TARGET.tar.gz and portcullis-TARGET.tar.gz.sha256 (http, https, file)
# PORTCULLIS_SHA256      the archive's checksum, from a place that you trust more than that directory
set -eu

say() {
    printf 'install.sh: %s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

usage() {
    say "$@"
    say "usage: sh install.sh [--dir DIR] [--version VERSION] [--source] [--hooks]"
    exit 2
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# The platform in the names of the archives; nothing where there are none.
target() {
    case $(uname -s)/$(uname -m) in
        Linux/x86_64 | Linux/amd64) echo x86_64-unknown-linux-musl ;;
        Linux/aarch64 | Linux/arm64) echo aarch64-unknown-linux-musl ;;
        Darwin/x86_64) echo x86_64-apple-darwin ;;
        Darwin/arm64) echo aarch64-apple-darwin ;;
    esac
}

# fetch URL FILE
fetch() {
    case $1 in
        file://*) cp "${1#file://}" "$2" 2>/dev/null ;;
        *)
            if have curl; then
                curl -fsSL --retry 2 -o "$2" "$1"
            elif have wget; then
                wget -q -O "$2" "$1"
            else
                fail "neither curl nor wget is here to fetch $1"
            fi
            ;;
    esac
}

sha256() {
    if have sha256sum; then
        sha256sum <"$1"
    elif have shasum; then
        shasum -a 256 <"$1"
    else
        fail "neither sha256sum nor shasum is here, and nothing unverified is installed"
    fi
}

# Is $1 (a file's checksum, perhaps with a name behind it) a SHA-256? Prints it in small letters.
digest() {
    sum=$(printf '%s' "${1%%[!0-9A-Fa-f]*}" | tr A-F a-f)
    [ ${#sum} -eq 64 ] || fail "there is no SHA-256 in the checksum of $archive, so it is not installed"
    echo "$sum"
}

# from_archive BASE: leaves the binary in $work; 1 when there is no archive to be had.
from_archive() {
    archive=portcullis-$(target).tar.gz
    [ "$archive" != portcullis-.tar.gz ] || return 1
    fetch "$1/$archive" "$work/$archive" || return 1
    if [ -n "${PORTCULLIS_SHA256-}" ]; then
        expected=$PORTCULLIS_SHA256
    else
        fetch "$1/$archive.sha256" "$work/sum" || fail "there is no checksum for $archive, so it is not installed"
        read -r expected <"$work/sum" || [ -n "$expected" ] || fail "the checksum of $archive is empty, so it is not installed"
    fi
    # Every step says `|| exit`: -e does not hold in a function whose result is asked for.
    expected=$(digest "$expected") || exit 1
    actual=$(sha256 "$work/$archive") || exit 1
    actual=$(digest "$actual") || exit 1
    if [ "$actual" != "$expected" ]; then
        say "the checksum of $archive does not hold, so it is not installed"
        say "  expected $expected"
        fail "  but it is $actual"
    fi
    mkdir "$work/unpacked" || exit 1
    tar -xzf "$work/$archive" -C "$work/unpacked" || fail "$archive cannot be unpacked"
    for file in "$work/unpacked/portcullis" "$work"/unpacked/*/portcullis; do
        if [ -f "$file" ] && ! [ -h "$file" ]; then
            mv "$file" "$work/portcullis" || exit 1
            return 0
        fi
    done
    fail "there is no portcullis in $archive"
}

# Leaves the binary in $work.
from_source() {
    have cargo || fail "there is no archive for this machine, and no cargo to build with (https://rustup.rs)"
    here=${0%/*}
    if [ "$here" != "$0" ] && grep -qs '^name = "portcullis"$' "$here/Cargo.toml"; then
        cargo install --locked --root "$work/root" --bin portcullis --path "$here"
    elif [ -n "${PORTCULLIS_REPOSITORY-}" ]; then
        set -- --git "$PORTCULLIS_REPOSITORY"
        [ -z "$version" ] || set -- "$@" --tag "v$version"
        cargo install --locked --root "$work/root" --bin portcullis "$@" portcullis
    else
        fail "set PORTCULLIS_REPOSITORY to the project's URL, or run install.sh in a checkout"
    fi
    mv "$work/root/bin/portcullis" "$work/portcullis"
}

main() {
    directory=${HOME-}/.local/bin
    version=
    source=
    hooks=
    while [ $# -gt 0 ]; do
        case $1 in
            --dir | --version)
                [ $# -gt 1 ] || usage "$1 needs a value"
                if [ "$1" = --dir ]; then directory=$2; else version=${2#v}; fi
                shift
                ;;
            --source) source=yes ;;
            --hooks) hooks=yes ;;
            -h | --help) usage "puts portcullis in place" ;;
            *) usage "unknown argument $1" ;;
        esac
        shift
    done
    [ -n "$directory" ] || usage "--dir must not be empty"

    base=${PORTCULLIS_BASE_URL-}
    if [ -z "$base" ] && [ -n "${PORTCULLIS_REPOSITORY-}" ]; then
        base=$PORTCULLIS_REPOSITORY/releases/latest/download
        [ -z "$version" ] || base=$PORTCULLIS_REPOSITORY/releases/download/v$version
    fi

    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM

    if [ -n "$source" ] || [ -z "$base" ]; then
        from_source
    elif ! from_archive "${base%/}"; then
        say "there is no archive for this machine at $base: building from source"
        from_source
    fi

    chmod 755 "$work/portcullis"
    installed=$("$work/portcullis" --version) || fail "the binary does not run on this machine"
    mkdir -p "$directory"
    # Into the same directory first, so that the last step is one rename: a running hook sees the old or the new one.
    cp "$work/portcullis" "$directory/.portcullis.$$"
    mv -f "$directory/.portcullis.$$" "$directory/portcullis"
    say "$installed is in $directory"
    case :${PATH-}: in
        *:"$directory":*) ;;
        *) say "$directory is not in PATH: the hooks find it there all the same" ;;
    esac

    if [ -z "$hooks" ] && [ -t 0 ] && [ -t 2 ] && git rev-parse --git-dir >/dev/null 2>&1; then
        printf 'install the hooks in this repository? [y/N] ' >&2
        read -r answer || answer=
        case $answer in [yY]*) hooks=yes ;; esac
    fi
    if [ -n "$hooks" ]; then
        "$directory/portcullis" hook install
    else
        say "in a repository: $directory/portcullis hook install"
    fi
}

# In a function, so that half a download runs nothing.
main "$@"
