#!/bin/sh
# Form and suspicious code, in Go and TypeScript.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_tools
say "gofmt"
unformatted=$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 gofmt -l)
[ -z "$unformatted" ] || fail "not formatted; run gofmt -w on:
$unformatted"

say "go vet"
go vet ./...
go vet -tags plain ./e2e/plain

say "staticcheck"
go tool -modfile=tools/go.mod staticcheck ./...

say "govulncheck"
if curl --silent --fail --max-time 10 --output /dev/null https://vuln.go.dev/index/db.json; then
	go tool -modfile=tools/go.mod govulncheck ./...
else
	echo "left out: its database, https://vuln.go.dev, cannot be reached from here"
fi

say "tsc --strict"
for dir in $(node_packages); do npm_run check "$dir"; done
