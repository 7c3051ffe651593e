#!/bin/sh
# Builds bin/takos-call: static, with the call page inside.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_tools
for dir in $(node_packages); do
	[ "$dir" = e2e ] || npm_run build "$dir"
done

version=$(git describe --tags --always --dirty 2>/dev/null || echo unknown)
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)
CGO_ENABLED=0 go build -trimpath -o bin/takos-call \
	-ldflags "-s -w -X main.version=$version -X main.commit=$commit" ./cmd/takos-call
