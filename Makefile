# Short names for what CMake's presets do; no recipe is needed to use CMake directly.
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
SOURCES = $(shell find vigor cli tests bench -name '*.h' -o -name '*.cpp')

.NOTPARALLEL:
.PHONY: all help deps build demo test test-asan test-tsan fuzz bench format format-check tidy install package package-check clean

all: build

help:
	@echo 'make [build]       release build: build/release/vigor'
	@echo 'make deps          install what is missing (Debian 12)'
	@echo 'make demo          deps, build, analyse a small network'
	@echo 'make test          deps, build, all tests but the slow ones, sanitizers included'
	@echo 'make test-asan     unit tests under AddressSanitizer and UBSan'
	@echo 'make test-tsan     tests of the parallel parts under ThreadSanitizer'
	@echo 'make fuzz          fuzz every parser for FUZZ_SECONDS (600) each; needs clang'
	@echo 'make bench         build and run the benchmarks'
	@echo 'make format        format the sources (format-check: only check)'
	@echo 'make tidy          clang-tidy'
	@echo 'make install       install below PREFIX ($(PREFIX))'
	@echo 'make package       a Debian package in out/'
	@echo 'make package-check install it on a bare Debian and use it there (root, debootstrap)'
	@echo 'make clean         remove build/ and out/'

deps:
	scripts/deps.sh

build:
	cmake --preset release
	cmake --build --preset release -j $(JOBS)

demo: deps build
	scripts/demo.sh

# The release tests come last: their summary ends the output.
test: deps test-asan test-tsan build
	ctest --preset release -j $(JOBS)

# The sanitizers of GCC 12 cannot bear the address randomization of newer kernels.
FIXED_ADDRESSES = $(shell setarch -R true 2>/dev/null && echo setarch -R)

test-asan test-tsan: test-%:
	cmake --preset $*
	$(FIXED_ADDRESSES) cmake --build --preset $* -j $(JOBS) --target unit_tests
	$(FIXED_ADDRESSES) ctest --preset $* -j $(JOBS)

FUZZ_SECONDS ?= 600

fuzz:
	scripts/fuzz.sh $(FUZZ_SECONDS)

bench:
	cmake --preset release -DVIGOR_BENCH=ON
	cmake --build --preset release -j $(JOBS) --target benchmarks
	bench/performance.py --build build/release --write docs/performance.md

format:
	clang-format -i $(SOURCES)

format-check:
	clang-format --dry-run -Werror $(SOURCES)

tidy:
	cmake --preset release -DVIGOR_BENCH=ON
	run-clang-tidy -quiet -j $(JOBS) -p build/release '^$(CURDIR)/(vigor|cli|bench)/'

install: build
	cmake --install build/release --prefix $(PREFIX)

package: build
	cpack --config build/release/CPackConfig.cmake -B out
	rm -rf out/_CPack_Packages

# Installs the package on a bare Debian in a folder, and analyses the demo network there. Needs root.
package-check: package
	scripts/check_package.sh

clean:
	rm -rf build out
