#!/bin/sh
# The pieces of the packet path, then the whole: one video to many receivers.
# docs/performance.md says how to read it.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

say "pieces"
go test -run '^$' -bench . -benchmem -benchtime "${BENCHTIME:-1s}" ./internal/...

scripts/build.sh
folder=$(mktemp -d)
port=39471
bin/takos-call serve --port $port --rtc-min-port 0 --data-dir "$folder" --log-level error --drain-deadline 0s >"$folder/out" &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$folder"' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
	curl --silent --fail --output /dev/null "http://127.0.0.1:$port/ready" && break
	sleep 0.5
done
for receivers in 50 200 400; do
	say "one 1.5 Mbit/s video to $receivers receivers on loopback"
	bin/takos-call loadtest --url "http://127.0.0.1:$port" --receivers "$receivers" --duration "${DURATION:-20s}"
done
