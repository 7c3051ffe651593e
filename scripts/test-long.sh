#!/bin/sh
# What takes too long for every change: soaks (tests that ask for TEST_LONG=1, and a
# thousand calls and a long meeting in e2e/soak) and FUZZTIME of each fuzz target, three
# minutes unless told: over an hour for all.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/test.sh
say "soaks"
CGO_ENABLED=1 TEST_LONG=1 go test -race -count=1 -timeout 2h ./...
for dir in $(node_packages); do npm_run test-long "$dir"; done
FUZZTIME=${FUZZTIME:-3m} scripts/fuzz.sh
