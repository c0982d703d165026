# Fovea's commands. `make run` and `make test` do all the set-up on a fresh Debian machine; both can be repeated at will.
#   make run                             classify the photographs that ship with scikit-image
#   make run RUN_ARGS="classify a.jpg"   run the program with these arguments instead
#   make run RUN_ARGS="--benchmarks=mobilenet --scenarios=Offline"   an MLPerf run, as `fovea mlperf run`
#   make test                            build, check and test everything
.PHONY: run build test bench peers fuzz seed-commands lint format clean setup preprocess_data calibrate package_submission check_submission

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

# The inference commands of Intel's ResNet50 page, whole (docs/launch.md).
seed-commands: build
	@tools/setup/make_venv.sh build/venv-tensorflow tools/setup/requirements-tensorflow.txt
	@python3 tests/cli/seed_commands.py build/bin/fovea --output-dir build/seed-commands $(RUN_ARGS)

# MLPerf: what `fovea mlperf` does, by the names that submissions use (docs/mlperf.md, docs/mlperf_submission.md).
calibrate: build
	@tools/mlperf/run.sh $@ $(RUN_ARGS)

preprocess_data package_submission check_submission: build
	@tools/mlperf/run.sh $(firstword $(subst _, ,$@)) $(RUN_ARGS)

# run_audit_test01, run_audit_test04, run_audit_test05 …, after a run into the same --logs.
run_audit_%: build
	@tools/mlperf/run.sh audit $* $(RUN_ARGS)

lint: setup
	@python3 tools/lint/layers.py
	@git ls-files '*.h' '*.cpp' | xargs clang-format --dry-run --Werror

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

clean:
	rm -rf build
