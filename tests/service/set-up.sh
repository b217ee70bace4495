#!/bin/sh
# Installs the real Windmill CLI for the service's tests, into target/. Without it they are skipped, and say so.
set -eu
cd "$(dirname "$0")/../.."
version=1.819.0
command -v npm >/dev/null || { echo "npm is not installed: the tests with the real wmill need it" >&2; exit 1; }
if [ "$(cat target/wmill/version 2>/dev/null)" != "$version" ]; then
    mkdir -p target/wmill
    # Its packages bring binaries for other platforms and scripts for installing: neither is needed to pull.
    npm install --prefix target/wmill --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "windmill-cli@$version" >&2
    echo "$version" >target/wmill/version
fi
echo "target/wmill/node_modules/.bin/wmill"
