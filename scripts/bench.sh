#!/bin/sh
# The pieces of the packet path, then the whole: loads on a server that has a core of
# its own, each beside the least that sending the same could cost. docs/performance.md
# says how to read it. It takes about four minutes; RUNS, DURATION (of each run), RECEIVERS and
# BENCHTIME (of each piece) change that. PRIORITY, such as "chrt --fifo 20", goes in front of
# both sides, for a machine that has other work to do.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

say "pieces"
go test -run '^$' -bench . -benchmem -benchtime "${BENCHTIME:-300ms}" \
	./internal/rtp ./internal/codec ./internal/nack ./internal/bwe ./internal/layer ./internal/speaker ./internal/udp ./internal/tcp ./internal/sfu |
	grep -E '^(pkg:|Benchmark)'

scripts/build.sh
need_packages taskset=util-linux curl=curl
work=$(mktemp -d)
server=""
stop_server() {
	[ -z "$server" ] || { kill "$server" && wait "$server"; } || true
	server=""
}
trap 'stop_server; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# The server has the last core, the clients have the others.
cores=$(nproc)
last=$((cores - 1))
others=0-$((cores > 1 ? last - 1 : 0))
port=39471

# start_server starts a fresh one, as one that has seen a load keeps its memory.
start_server() {
	# shellcheck disable=SC2086 # PRIORITY is a command with arguments
	taskset --cpu-list "$last" ${PRIORITY:-} bin/takos-call serve --port "$port" --listen-host 127.0.0.1 --rtc-min-port 0 --announced-ip 127.0.0.1 \
		--max-peers 5000 --data-dir "$work/data" --drain-deadline 0s --log-level error --api-message-rate 1000000 >"$work/greeting" &
	server=$!
	for _ in $(seq 100); do
		if curl --silent --fail --output /dev/null "http://127.0.0.1:$port/ready"; then return; fi
		sleep 0.1
	done
	fail "the server did not start"
}

# load NAME PROFILE FLAGS... loads a fresh server and keeps the report. One that
# is too bad to pass is kept too: the table will show why.
load() {
	name=$1
	shift
	start_server
	# shellcheck disable=SC2086
	taskset --cpu-list "$others" ${PRIORITY:-} bin/takos-call loadtest "$@" --url "http://127.0.0.1:$port" --pid "$server" \
		--warmup 2s --duration "${DURATION:-5s}" --json 2>>"$work/progress" >"$work/$name.json" || tail -n 1 "$work/progress"
	stop_server
}

receivers=${RECEIVERS:-50 200 400}
for run in $(seq "${RUNS:-3}"); do
	for n in $receivers; do
		say "run $run: one 1.5 Mbit/s video to $n receivers"
		load "fanout-$n-$run" fanout --receivers "$n"
		# shellcheck disable=SC2086
		taskset --cpu-list "$others" ${PRIORITY:-} bin/takos-call loadtest limit --core "$last" --receivers "$n" \
			--warmup 1s --duration "${DURATION:-5s}" --json >"$work/limit-$n-$run.json" || true
	done
done
say "a meeting of 10, and 10 speakers to 100 listeners"
load meeting-10 meeting --people 10
load audio-100 audio --speakers 10 --receivers 100

say "commands beside media, and joins"
start_server
# shellcheck disable=SC2086
taskset --cpu-list "$others" ${PRIORITY:-} bin/takos-call loadtest control --url "http://127.0.0.1:$port" --pid "$server" --duration "${DURATION:-5s}" || true
stop_server

say "server on core $last, clients on $others; Linux $(uname -r), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), load average $(cut -d ' ' -f 1 /proc/loadavg)"
bin/takos-call loadtest table "$work"/*.json
