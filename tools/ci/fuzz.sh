#!/usr/bin/env bash
# The long mutation campaigns under AddressSanitizer and UndefinedBehaviorSanitizer: 20,000 mutants a reader.
set -euo pipefail
cd "$(dirname "$0")/../.."
count="${FUZZ_COUNT:-20000}" seed="${FUZZ_SEED:-1}"
cmake --preset asan -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DFOVEA_BUILD_BENCH=OFF > /dev/null
cmake --build build/asan -j "$(nproc)" --target fovea_fuzz_programs
for program in build/asan/bin/fuzz_*; do
  echo "== $(basename "$program"): $count mutants, seed $seed"
  "$program" --count "$count" --seed "$seed" --max-mib 2048
done
