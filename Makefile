# Every target is one line; what needs more than that is a script in scripts/.
# `make help` lists them.

.PHONY: help run build test test-long test-mediasoup lint e2e fuzz bench generate clean

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: build ## build, start with the embedded defaults, print a link that opens a call
	@exec bin/takos-call serve

build: ## the static binary, bin/takos-call
	@scripts/build.sh

test: ## everything that must pass before a change is merged (at most 12 minutes on 2 cores)
	@scripts/test.sh

test-long: ## soaks and long fuzzing
	@scripts/test-long.sh

test-mediasoup: build ## mediasoup's own tests, against the drop-in package
	@scripts/test-mediasoup.sh

lint: ## gofmt, go vet, staticcheck, govulncheck, tsc
	@scripts/lint.sh

e2e: build ## real calls in Chromium and Firefox
	@scripts/e2e.sh

fuzz: ## every fuzz target for FUZZTIME (a minute)
	@scripts/fuzz.sh

bench: ## the packet path: nanoseconds, allocations, fan-out
	@scripts/bench.sh

generate: ## the pages that are made from the code
	@go generate ./...

clean: ## what build made
	@rm -rf bin sdk/*/dist; find web/dist -mindepth 1 ! -name .keep -delete
