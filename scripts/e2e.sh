#!/bin/sh
# Real calls in real browsers against bin/takos-call.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_packages ip=iproute2 chromium=chromium firefox-esr=firefox-esr
say "end to end, in Chromium and Firefox"
for dir in $(node_packages); do
	[ "$dir" = e2e ] || npm_run build "$dir"
done
npm_run test e2e
