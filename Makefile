# Tacet. `make help` lists what there is; `make test` is all that has to pass.
SHELL := /bin/bash
GO    ?= go
export CGO_ENABLED = 0
BUILD := .build

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 16

.PHONY: run
run: ## start a development server
	$(GO) run ./cmd/tacet dev

.PHONY: build
build: ## build the binary into .build/tacet
	$(GO) build -trimpath -ldflags='-s -w' -o $(BUILD)/tacet ./cmd/tacet

.PHONY: test
test: ## run every test, on both engines, with the real clients
	scripts/test.sh

.PHONY: check
check: ## gofmt, go vet, staticcheck
	scripts/check.sh

.PHONY: lint
lint: ## run golangci-lint, which takes minutes to build the first time
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./...

.PHONY: bench
bench: build ## measure CPU per request beside a bare net/http server
	scripts/bench.sh

.PHONY: bench-questions
bench-questions: build ## measure who-can, can and why with 1,000 principals and 100,000 secrets
	scripts/bench.sh -questions

.PHONY: bench-scale
bench-scale: build ## measure with 1,000, 100,000 and 1,000,000 secrets
	scripts/bench.sh -scale

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (default 30s)
	scripts/fuzz.sh $${FUZZTIME:-30s}

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BUILD)
