# Fovea's commands. `make run` and `make test` do all the set-up on a fresh Debian machine; both can be repeated at will.
#   make run                             classify the photographs that ship with scikit-image
#   make run RUN_ARGS="classify a.jpg"   run the program with these arguments instead
#   make test                            build, check and test everything
.PHONY: run build test bench peers fuzz lint format clean setup demo-data

JOBS ?= $(shell nproc)
RUN_ARGS ?=
PIP_VENV := build/venv

# Both build trees share compiled objects through ccache where it is installed.
CMAKE_FLAGS := -DCMAKE_CXX_COMPILER_LAUNCHER=ccache

run: build
	@tools/demo/run.sh $(RUN_ARGS)

setup:
	@tools/setup/install_packages.sh

build: setup
	@cmake --preset release $(CMAKE_FLAGS) > build-configure.log 2>&1 || { cat build-configure.log; rm -f build-configure.log; exit 1; }
	@mv build-configure.log build/configure.log
	@cmake --build build -j $(JOBS) --target fovea_program
	@echo "built: build/bin/fovea"

test: setup
	@tools/ci/test.sh

bench: setup
	@cmake --preset release $(CMAKE_FLAGS) > /dev/null
	@cmake --build build -j $(JOBS) --target fovea_kernel_bench
	@build/bin/fovea_kernel_bench

peers: build
	@bench/peers/run.sh $(RUN_ARGS)

fuzz: setup
	@tools/ci/fuzz.sh

lint: setup
	@python3 tools/lint/layers.py
	@git ls-files '*.h' '*.cpp' | xargs clang-format --dry-run --Werror

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

clean:
	rm -rf build
