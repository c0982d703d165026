// Softmax of 1000 classes, arg-max, and LRN of AlexNet and GoogLeNet, against memcpy of as many bytes.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/aligned_values.h"
#include "bench/copy_rate.h"
#include "kernels/rowwise/rowwise.h"

namespace fovea::kernels {
namespace {

void run(benchmark::State& state, const RowwiseKernels& row, int which) {
  if (!detect_cpu().has(row.isa)) return state.SkipWithError("the CPU lacks this ISA");
  const std::int64_t length = which == 2 ? 96 : 1000, rows = which == 2 ? 27 * 27 : 8;
  bench::AlignedValues<float> x(length * rows, 0.5f), y(length * rows);
  bench::AlignedValues<std::int64_t> index(rows);
  const double bytes = 2.0 * sizeof(float) * static_cast<double>(length * rows);
  if (which == 0)
    return bench::measure_copying(state, bytes, [&] { row.softmax_f32({length, false, x.data(), y.data()}, 0, rows); });
  if (which == 1)
    return bench::measure_copying(state, bytes / 2, [&] {
      row.argmax_f32({length, true, x.data(), index.data()}, 0, rows);
    });
  LrnArgs args;
  args.channels = length;
  args.size = 5;
  args.x = x.data();
  args.y = y.data();
  bench::measure_copying(state, bytes, [&] { row.lrn_f32(args, 0, rows); });
}

const bool kRegistered = [] {
  const char* names[] = {"softmax_1000", "argmax_1000", "lrn_96_size5"};
  for (const RowwiseKernels& row : rowwise_kernels())
    for (int which = 0; which < 3; ++which)
      if (row.isa != Isa::kScalar)
        benchmark::RegisterBenchmark(fmt::format("{}/{}", row.name, names[which]).c_str(), run, row, which)
            ->Unit(benchmark::kMicrosecond)
            ->MinTime(0.05);
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
