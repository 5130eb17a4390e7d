# make test   everything that proves Fairway works; installs what the tests need where it may
# make bench  the benchmarks; bench/run.sh puts load on whole servers
# make chaos  100,000 calls while regions break at random, then 20,000 while the server is killed;
#             CALLS, KILLED and SEED are settable
# make fuzz   a minute of every fuzz target
# make dist   the release binaries

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: build test bench chaos fuzz dist clean

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/fairway ./cmd/fairway

test:
	@STATICCHECK=$(STATICCHECK) scripts/test

bench:
	go test -run '^$$' -bench . -benchmem ./...

chaos:
	@scripts/chaos

fuzz:
	@scripts/fuzz

dist:
	@VERSION=$(VERSION) scripts/dist

clean:
	rm -rf bin dist
