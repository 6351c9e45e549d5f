# The commands of the project. `make run` and `make test` are the two that matter; each installs what it needs.

PRESET  ?= release
JOBS    ?= $(shell nproc)
PREFIX  ?= /usr/local
ARGS    ?=
FORCE   ?=
FUZZ_SECONDS ?= 60

PYTHON  := build/venv/bin/python
RUNNER   = $(PYTHON) tests/run_suites.py $(if $(FORCE),--force)

BUILD_PACKAGES := g++ cmake ninja-build pkg-config python3 libasio-dev libspdlog-dev libfmt-dev libcli11-dev libsqlite3-dev doctest-dev nlohmann-json3-dev
TEST_PACKAGES  := python3-venv python3-dev mosquitto mosquitto-clients abigail-tools binutils
FUZZ_PACKAGES  := clang libclang-rt-14-dev llvm
BENCH_PACKAGES := mosquitto util-linux procps
FORM_PACKAGES  := clang-format clang-tidy

REQUIREMENTS := $(wildcard tests/requirements.txt bindings/python/requirements.txt)

.PHONY: run build all test bench asan tsan abi fuzz sanitizers install clean format form lint docs abi-baseline \
        build-packages test-packages fuzz-packages

run: build
	@exec build/release/comqtt $(ARGS)

build: build-packages build/release/build.ninja
	@cmake --build build/release -j $(JOBS) --target libcomqtt.so comqtt_program

all: build-packages test-packages build/release/build.ninja build/venv/ready
	@grep -q '^COMQTT_PYTHON:BOOL=ON' build/release/CMakeCache.txt || cmake --preset release -DCOMQTT_PYTHON=ON
	@cmake --build build/release -j $(JOBS)

test: all
	@$(RUNNER) --preset release

asan tsan: %: build-packages test-packages build/%/build.ninja build/venv/ready
	@cmake --build build/$@ -j $(JOBS)
	@$(RUNNER) --preset $@

abi: build-packages test-packages build/debug/build.ninja
	@cmake --build build/debug -j $(JOBS) --target libcomqtt.so
	@python3 tests/run_suites.py $(if $(FORCE),--force) --preset debug

# After functions, or members at the end of records, were added. From 1.0.0 on what is recorded here is promised for the
# life of the SONAME, and the baseline is written on a release only.
abi-baseline: build-packages test-packages build/debug/build.ninja
	@cmake --build build/debug -j $(JOBS) --target libcomqtt.so
	@bash tests/abi/abidiff.sh --update build/debug/libcomqtt.so

fuzz: build-packages fuzz-packages build/fuzz/build.ninja
	@cmake --build build/fuzz -j $(JOBS)
	@python3 tests/run_fuzz.py --build build/fuzz --seconds $(FUZZ_SECONDS) --jobs $(JOBS)

sanitizers:
	@$(MAKE) --no-print-directory fuzz
	@$(MAKE) --no-print-directory asan
	@$(MAKE) --no-print-directory tsan

bench: all
	@cmake/apt-install.sh $(BENCH_PACKAGES)
	@python3 bench/run.py $(ARGS)

install: build
	@cmake --install build/release --prefix "$(PREFIX)"

clean:
	@rm -rf build

format:
	@cmake/apt-install.sh $(FORM_PACKAGES)
	@git ls-files -co --exclude-standard '*.cpp' '*.hpp' '*.c' '*.h' | xargs clang-format -i

lint: build-packages build/lint/build.ninja
	@cmake/apt-install.sh $(FORM_PACKAGES)
	@git ls-files -co --exclude-standard '*.cpp' '*.hpp' '*.c' '*.h' | xargs clang-format --dry-run -Werror
	@git ls-files -co --exclude-standard 'cpp/*.cpp' 'capi/*.cpp' | xargs -P $(JOBS) -n 4 \
	    clang-tidy --quiet -p build/lint --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wthread-safety

# Of `lint` what takes a minute: the form, and that what a lock guards is used under it.
form: fuzz-packages
	@cmake/apt-install.sh $(FORM_PACKAGES)
	@git ls-files -co --exclude-standard '*.cpp' '*.hpp' '*.c' '*.h' | xargs clang-format --dry-run -Werror
	@cmake/check_locks.sh

# The parts of docs/ that are made: after options or tests were added.
docs: build
	@python3 tests/docs/configuration.py --library build/release/libcomqtt.so
	@python3 tests/conformance/table.py

build-packages:
	@cmake/apt-install.sh $(BUILD_PACKAGES)
test-packages:
	@cmake/apt-install.sh $(TEST_PACKAGES)
fuzz-packages:
	@cmake/apt-install.sh $(FUZZ_PACKAGES)

build/%/build.ninja: CMakePresets.json | build-packages
	@cmake --preset $*

build/venv/ready: $(REQUIREMENTS) | test-packages
	@rm -rf build/venv
	@python3 -m venv build/venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check $(foreach file,$(REQUIREMENTS),-r $(file))
	@touch $@
