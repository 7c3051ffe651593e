#!/bin/sh
# Real calls in real browsers against bin/takos-call.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_packages ip=iproute2 chromium=chromium firefox-esr=firefox-esr
if [ ! -f e2e/package.json ]; then exit; fi
say "end to end, in Chromium and Firefox"
npm_run test e2e
