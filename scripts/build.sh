#!/bin/sh
# Builds bin/takos-call: static, with the call page inside.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_tools
npm_run build web

version=$(git describe --tags --always --dirty 2>/dev/null || echo unknown)
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)
CGO_ENABLED=0 go build -trimpath -o bin/takos-call \
	-ldflags "-s -w -X main.version=$version -X main.commit=$commit" ./cmd/takos-call
