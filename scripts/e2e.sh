#!/bin/sh
# Real calls in real browsers against bin/takos-call.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_packages ip=iproute2 chromium=chromium firefox-esr=firefox-esr ffmpeg=ffmpeg \
	gst-launch-1.0="gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
say "plain RTP, with GStreamer and ffmpeg"
go test -count=1 -timeout 5m -tags plain ./e2e/plain
say "end to end, in Chromium and Firefox"
for dir in $(node_packages); do
	[ "$dir" = e2e ] || npm_run build "$dir"
done
npm_install e2e/application
npm_run test e2e
