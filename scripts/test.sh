#!/bin/sh
# Everything that must pass before a change is merged.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_packages gcc=gcc git=git curl=curl ip=iproute2 chromium=chromium firefox-esr=firefox-esr
scripts/build.sh
scripts/lint.sh

say "go test"
CGO_ENABLED=1 go test -race -shuffle=on -timeout 10m ./...

say "node tests"
for dir in $(node_packages); do
	[ "$dir" = e2e ] || npm_run test "$dir"
done

scripts/test-mediasoup.sh
scripts/e2e.sh
