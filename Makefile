# The front door. Every target does its own set-up and is quick the second time; `make help` lists
# them. What is built lands in build/<preset>, what is downloaded in ~/.cache/leat.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PRESET ?= release
JOBS ?= $(shell nproc)
TEST_JOBS ?= 1
TEST_ARGS ?=
DEMO_ARGS ?=
BENCH_ARGS ?=
PRESSURE_ARGS ?=
FUZZ_SECONDS ?= 60
FAULT_IMAGES ?= 1000000
PREFIX ?= /usr/local
VERSIONS ?= 14 15 16 17 18

export LEAT_CACHE ?= $(HOME)/.cache/leat
python := $(LEAT_CACHE)/venv/bin/python
build := build/$(PRESET)
# The tools that make starts outside ctest learn from here what was built.
environment = LEAT_BINARY=$(CURDIR)/$(build)/bin/leat LEAT_BUILD_DIR=$(CURDIR)/$(build) \
	LEAT_SOURCE_DIR=$(CURDIR) LEAT_PYTHON=$(python)

.PHONY: help setup configure build install package demo test live bench pressure fuzz faults asan tsan format tidy clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: ## system packages, libraries and test servers (kept in ~/.cache/leat)
	@tools/setup/setup.sh

configure: setup
	@[ -f $(build)/build.ninja ] || cmake --preset $(PRESET) >build-$(PRESET).log 2>&1 || \
		{ cat build-$(PRESET).log; rm -f build-$(PRESET).log; exit 1; }
	@rm -f build-$(PRESET).log

build: configure ## compile everything (PRESET=release|dev|asan|tsan|clang)
	@ninja -C $(build) -j $(JOBS)

install: build ## the program and its libraries below PREFIX (/usr/local), a systemd unit
	@cmake --install $(build) --prefix $(PREFIX) --strip >/dev/null && echo "installed $(PREFIX)/bin/leat"

package: build ## the same as a tarball that runs wherever it is unpacked
	@cpack --config $(build)/CPackConfig.cmake -B $(build)/package >/dev/null
	@mv $(build)/package/leat-*.tar.gz build/ && ls build/leat-*.tar.gz

demo: build ## a PostgreSQL with live orders, kept equal in DuckDB through a kill -9
	@$(environment) $(python) tools/demo/demo.py $(DEMO_ARGS)

test: build ## unit, golden, scenario and live tests on real servers
	@$(environment) $(python) test/run.py $(build) --jobs $(TEST_JOBS) $(TEST_ARGS)

# Where the server of a version is.
postgres = $(if $(filter 15,$1),/usr/lib/postgresql/15,$(LEAT_CACHE)/postgres-$1)

live: build ## the live tests on every supported version of PostgreSQL (VERSIONS=...)
	@$(foreach major,$(VERSIONS),echo "PostgreSQL $(major)" && LEAT_POSTGRES=$(call postgres,$(major)) \
		$(environment) $(python) test/run.py $(build) --jobs $(TEST_JOBS) --only live $(TEST_ARGS) &&) true

bench: build ## measure against the references, write bench/results
	@ninja -C $(build) -j $(JOBS) benches
	@$(environment) $(python) bench/run.py $(BENCH_ARGS)

pressure: build ## a transaction of 10 GB and ten million small ones (70 GB of disk)
	@$(environment) $(python) bench/pressure.py $(PRESSURE_ARGS)

fuzz: ## run every fuzz target for FUZZ_SECONDS (60)
	@$(MAKE) configure PRESET=fuzz
	@ninja -C build/fuzz -j $(JOBS) fuzzers
	@fuzz/run.sh build/fuzz $(FUZZ_SECONDS)

faults: build ## every file system call of the log × every fault, and many power cuts
	@$(environment) $(python) tools/fault_sweep/sweep.py --jobs $(JOBS)
	@$(build)/bin/fault_driver power --images $(FAULT_IMAGES)

asan: ## the tests under address and undefined-behaviour sanitizers
	@$(MAKE) test PRESET=asan TEST_ARGS="--without tidy $(TEST_ARGS)"

tsan: ## the C++ tests under the thread sanitizer
	@$(MAKE) test PRESET=tsan TEST_ARGS="--without tidy --without fuzz $(TEST_ARGS)"

format: ## let clang-format decide the layout
	@git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs -r clang-format-14 -i

tidy: ## clang-tidy, the layout and the house rules
	@$(MAKE) build PRESET=clang
	@$(python) test/tidy/tidy_test.py
	@git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs -r clang-format-14 --dry-run -Werror
	@git ls-files -co --exclude-standard 'src/*.cpp' | grep -v -E '_(test|bench)\.cpp$$' | \
		xargs -r -P $(JOBS) -n 4 clang-tidy-14 -p build/clang --quiet

clean: ## remove what was built (downloads stay)
	@rm -rf build bench/results
