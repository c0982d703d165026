#!/usr/bin/env bash
# Everything that must pass: lint, a release build with all tests, and the readers' tests under sanitizers.
# Ends with the runner's own summary line.
set -euo pipefail
cd "$(dirname "$0")/../.."
jobs="${JOBS:-$(nproc)}"
# Objects are shared between checkouts: paths below the checkout are hashed as relative ones.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
export FOVEA_TEST_DATA="${FOVEA_TEST_DATA:-$(cd .. && pwd)/shared/data}"
if [[ ! -f "$FOVEA_TEST_DATA/README.md" ]]; then
  echo "test: no test data at $FOVEA_TEST_DATA: tests that need models and images will be skipped" >&2
  if [[ "${CI:-}" == true ]]; then
    echo "test: continuous integration needs the test data; set FOVEA_TEST_DATA" >&2
    exit 1
  fi
fi
step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

step "layers"
python3 tools/lint/layers.py

step "release build"
mkdir -p build
cmake --preset release -DCMAKE_CXX_COMPILER_LAUNCHER=ccache > build/configure.log || { cat build/configure.log; exit 1; }
cmake --build build -j "$jobs"

step "sanitizer build (address, undefined)"
cmake --preset asan -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DFOVEA_BUILD_BENCH=OFF > build/configure-asan.log || { cat build/configure-asan.log; exit 1; }
cmake --build build/asan -j "$jobs" --target fovea_asan_tests

step "Python environment for the comparisons with PIL, OpenCV and ONNX Runtime"
tools/setup/make_venv.sh build/venv tools/setup/requirements-test.txt

step "Python environments of LoadGen and TensorFlow"
tools/setup/make_venv.sh build/venv-loadgen tools/setup/requirements-loadgen.txt
tools/setup/make_venv.sh build/venv-tensorflow tools/setup/requirements-tensorflow.txt

step "efficientnet-lite0 checkpoint"
tools/fetch_efficientnet_lite0.sh

step "sanitizer tests"
ctest --test-dir build/asan --output-on-failure -j "$jobs" -L asan

step "tests"
ctest --test-dir build --output-on-failure -j "$jobs"
