#!/bin/sh
# Finds every fuzz target of the module and runs each for FUZZTIME. A target that ends
# badly without having found an input (Go's coordinator may be late at its own deadline
# on a busy machine) is run once more; one that found an input fails at once.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

fuzztime=${FUZZTIME:-1m}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Minimizing is bounded by runs and not by time: it happens to every interesting input,
# and with large seeds a target would do nothing else.
fuzz() {
	go test -run '^$' -fuzz "^$1\$" -fuzztime "$fuzztime" -fuzzminimizetime 100x "./$2" >"$log" 2>&1
}

count=0
for file in $(git ls-files --cached --others --exclude-standard '*_test.go'); do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		dir=$(dirname "$file")
		say "$target in $dir for $fuzztime"
		if ! fuzz "$target" "$dir"; then
			if grep -q 'Failing input written' "$log" || ! fuzz "$target" "$dir"; then
				cat "$log"
				fail "$target in $dir found something"
			fi
		fi
		tail -n 2 "$log"
		count=$((count + 1))
	done
done
[ "$count" -gt 0 ] || fail "no fuzz target was found"
say "$count fuzz targets, nothing found"
