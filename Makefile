# Everything a person does here, by name. Each target sets up what it needs first; see `make help`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# Outside the clone by default: a clone stays small, and several clones share one build.
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/iris
export CARGO_TARGET_DIR ?= $(CACHE)/target
export DEV_TOOLS ?= $(CACHE)/tools
export PATH := $(DEV_TOOLS)/bin:$(PATH)

.PHONY: help setup run build test soak bench fmt clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-7s %s\n", $$1, $$2}' Makefile

setup: ## install what building and testing needs (apt as root or through sudo, and two cargo tools)
	@dev/scripts/setup build web test

run: ## open the demo clinic on http://localhost:8080: builds pages and binary, invents patients in ./iris-demo
	@dev/scripts/setup build web
	@dev/scripts/run

build: ## the optimised binary with its pages, put at ./dist/iris
	@dev/scripts/setup build web
	@dev/scripts/pages
	cargo build --release --locked --package iris
	@mkdir -p dist
	@cp "$(CARGO_TARGET_DIR)/release/iris" dist/iris
	@echo "dist/iris"

test: ## everything that CI checks; tests on ../shared/data run where it is there
	@dev/scripts/setup build web test
	cargo xtask check

soak: ## what is too long for `make test`: long fault, fuzz and load runs, thousands of property cases
	@dev/scripts/setup build web test
	@dev/scripts/pages
	cargo build --release --locked --package iris
	IRIS_SOAK=1 IRIS_TEST_BINARY="$(CARGO_TARGET_DIR)/release/iris" PROPTEST_CASES=$${PROPTEST_CASES:-4096} \
	cargo nextest run --workspace --locked --profile soak --no-fail-fast --run-ignored all

bench: ## the figures, with the disk's flush time beside them; writes docs/guide/performance.md
	@dev/scripts/setup build bench
	@dev/scripts/bench

fmt: ## format everything
	cargo fmt --all

clean: ## delete what was built (not the data)
	rm -rf dist "$(CARGO_TARGET_DIR)"
