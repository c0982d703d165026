// Element-wise kernels on u8 activations as networks have them, against memcpy of as many bytes.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/aligned_values.h"
#include "bench/copy_rate.h"
#include "kernels/qeltwise/qeltwise.h"

namespace fovea::kernels {
namespace {

constexpr std::int64_t kCount = 28 * 28 * 240;

void run_lookup(benchmark::State& state, const QEltwiseKernels& row) {
  if (!detect_cpu().has(row.isa)) return state.SkipWithError("the CPU lacks this ISA");
  bench::AlignedValues<std::uint8_t> x(kCount, 7), table(256, 1), y(kCount);
  bench::measure_copying(state, 2.0 * kCount, [&] { row.lookup(table.data(), x.data(), y.data(), 0, kCount); });
}

void run_binary(benchmark::State& state, Isa isa, QBinaryFunction function, Broadcast how) {
  if (!detect_cpu().has(isa)) return state.SkipWithError("the CPU lacks this ISA");
  bench::AlignedValues<std::uint8_t> a(kCount, 7), b(kCount, 9), y(kCount);
  const QBinaryArgs args{how, 0.5f, 0.25f, 10, 20, 30, 0, 255, a.data(), b.data(), y.data()};
  const double operands = how.kind == Operand::kSame ? 3 : 2;
  bench::measure_copying(state, operands * kCount, [&] { function(args, 0, kCount); });
}

const bool kRegistered = [] {
  for (const QEltwiseKernels& row : qeltwise_kernels()) {
    if (row.isa == Isa::kScalar) continue;
    const auto add = [&](const char* name, auto... arguments) {
      benchmark::RegisterBenchmark(fmt::format("{}/{}", row.name, name).c_str(), arguments...)
          ->Unit(benchmark::kMicrosecond)
          ->MinTime(0.05);
    };
    add("lookup", run_lookup, row);
    add("add", run_binary, row.isa, row.add, Broadcast{});
    add("mul_channel240", run_binary, row.isa, row.mul, Broadcast{Operand::kInner, 240});
    add("mul_channel16", run_binary, row.isa, row.mul, Broadcast{Operand::kInner, 16});
  }
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
