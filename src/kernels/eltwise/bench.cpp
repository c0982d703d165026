// Element-wise kernels on activations that fit the L2 cache and on larger ones, against memcpy of as many bytes.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/aligned_values.h"
#include "bench/copy_rate.h"
#include "kernels/eltwise/eltwise.h"

namespace fovea::kernels {
namespace {

void run_binary(benchmark::State& state, const EltwiseKernels& row, Broadcast broadcast, std::int64_t count) {
  if (!detect_cpu().has(row.isa)) return state.SkipWithError("the CPU lacks this ISA");
  const bench::AlignedValues<float> a(count, 1.5f), b(count, 0.5f);
  bench::AlignedValues<float> y(count);
  const BinaryArgs args{BinaryOp::kAdd, broadcast, {EpilogueKind::kClip, 0, 6}, a.data(), b.data(), y.data()};
  const double operands = broadcast.kind == Operand::kSame ? 3 : 2;
  bench::measure_copying(state, operands * sizeof(float) * static_cast<double>(count),
                         [&] { row.binary_f32(args, 0, count); });
}

void run_unary(benchmark::State& state, const EltwiseKernels& row, UnaryArgs args, std::int64_t count) {
  if (!detect_cpu().has(row.isa)) return state.SkipWithError("the CPU lacks this ISA");
  bench::AlignedValues<float> x(count), y(count);
  for (std::int64_t i = 0; i < count; ++i) x[i] = static_cast<float>(i % 200) * 0.1f - 10;
  args.x = x.data();
  args.y = y.data();
  bench::measure_copying(state, 2 * sizeof(float) * static_cast<double>(count), [&] { row.unary_f32(args, 0, count); });
}

const bool kRegistered = [] {
  for (const EltwiseKernels& row : eltwise_kernels()) {
    if (row.isa == Isa::kScalar) continue;
    for (const std::int64_t count : {std::int64_t{56} * 56 * 16, std::int64_t{56} * 56 * 256}) {
      const auto add = [&](auto name, auto function, auto argument) {
        benchmark::RegisterBenchmark(fmt::format("{}/{}/{}", row.name, name, count).c_str(), function, row, argument,
                                     count)
            ->Unit(benchmark::kMicrosecond)
            ->MinTime(0.05);
      };
      add("add_relu6", run_binary, Broadcast{Operand::kSame});
      add("add_channel24", run_binary, Broadcast{Operand::kInner, 24});
      add("add_channel64", run_binary, Broadcast{Operand::kInner, 64});
      add("hard_swish", run_unary, UnaryArgs{UnaryOp::kActivation, {EpilogueKind::kHardSwish}});
      add("silu", run_unary, UnaryArgs{UnaryOp::kActivation, {EpilogueKind::kSilu}});
      add("tanh", run_unary, UnaryArgs{UnaryOp::kActivation, {EpilogueKind::kTanh}});
      add("exp", run_unary, UnaryArgs{UnaryOp::kExp});
      add("gelu", run_unary, UnaryArgs{UnaryOp::kGelu});
    }
  }
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
