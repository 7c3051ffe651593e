#!/bin/sh
# The pieces of the packet path, then the whole: one video to many receivers.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

say "pieces"
go test -run '^$' -bench . -benchmem -benchtime "${BENCHTIME:-1s}" ./internal/...
