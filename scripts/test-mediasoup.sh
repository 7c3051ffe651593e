#!/bin/sh
# Runs mediasoup's own tests against sdk/mediasoup and a server: all, or those whose names match the argument.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_tools
need_packages openssl=openssl
npm_install sdk/mediasoup
npm_install sdk/mediasoup/judge
npm_install e2e/application
npm_run build sdk/mediasoup

say "mediasoup's types and tests"
node sdk/mediasoup/judge/types.mjs
npm_run check e2e/application
exec node sdk/mediasoup/judge/run.mjs "$@"
