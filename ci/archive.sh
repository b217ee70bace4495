#!/usr/bin/env bash
# Packs the release binary of a target for install.sh: dist/portcullis-TARGET.tar.gz (.zip for Windows) and its .sha256.
set -euo pipefail
target=${1:?"usage: archive.sh TARGET"}
name=portcullis-$target
mkdir -p dist
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
case $target in
    *-windows-*)
        cp "target/$target/release/portcullis.exe" README.md LICENSE "$stage/"
        (cd "$stage" && 7z a -bd "$name.zip" portcullis.exe README.md LICENSE >/dev/null)
        mv "$stage/$name.zip" dist/
        file=$name.zip
        ;;
    *)
        cp "target/$target/release/portcullis" README.md LICENSE "$stage/"
        tar -czf "dist/$name.tar.gz" -C "$stage" portcullis README.md LICENSE
        file=$name.tar.gz
        ;;
esac
cd dist
if command -v sha256sum >/dev/null; then
    sha256sum "$file" >"$file.sha256"
else
    shasum -a 256 "$file" >"$file.sha256"
fi
