#!/bin/sh
# Finds every fuzz target of the module and runs each for FUZZTIME.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

fuzztime=${FUZZTIME:-1m}
count=0
for file in $(git ls-files --cached --others --exclude-standard '*_test.go'); do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		say "$target in $(dirname "$file") for $fuzztime"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" "./$(dirname "$file")"
		count=$((count + 1))
	done
done
[ "$count" -gt 0 ] || fail "no fuzz target was found"
say "$count fuzz targets, nothing found"
