// Layout changes of images and activations against memcpy of as many bytes.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/aligned_values.h"
#include "bench/copy_rate.h"
#include "kernels/reorder/reorder.h"

namespace fovea::kernels {
namespace {

void run(benchmark::State& state, Isa isa, ReorderFunction function, int element_bytes, int channels, int pixels) {
  if (!detect_cpu().has(isa)) return state.SkipWithError("the CPU lacks this ISA");
  const std::size_t bytes = static_cast<std::size_t>(channels) * pixels * element_bytes;
  bench::AlignedValues<std::uint8_t> x(bytes), y(bytes);
  bench::measure_copying(state, 2.0 * static_cast<double>(bytes), [&] {
    function({channels, pixels, x.data(), 0, y.data(), 0}, 0, pixels);
  });
}

void run_copy(benchmark::State& state, const ReorderKernels& row, int row_bytes) {
  if (!detect_cpu().has(row.isa)) return state.SkipWithError("the CPU lacks this ISA");
  const std::int64_t rows = 28 * 28;
  bench::AlignedValues<std::uint8_t> x(rows * row_bytes), y(rows * row_bytes * 2);
  bench::measure_copying(state, 2.0 * static_cast<double>(rows * row_bytes), [&] {
    row.copy_rows({row_bytes, x.data(), row_bytes, y.data(), 2 * std::int64_t{row_bytes}}, 0, rows);
  });
}

const bool kRegistered = [] {
  for (const ReorderKernels& row : reorder_kernels()) {
    if (row.isa == Isa::kScalar) continue;
    const auto add = [&](const std::string& name, auto... arguments) {
      benchmark::RegisterBenchmark(fmt::format("{}/{}", row.name, name).c_str(), arguments...)
          ->Unit(benchmark::kMicrosecond)
          ->MinTime(0.05);
    };
    for (const auto& [channels, pixels] : {std::pair{3, 224 * 224}, {64, 56 * 56}, {255, 19 * 19}, {512, 49}}) {
      add(fmt::format("nchw_to_nhwc_32_{}x{}", channels, pixels), run, row.isa, row.nchw_to_nhwc_32, 4, channels,
          pixels);
      add(fmt::format("nhwc_to_nchw_32_{}x{}", channels, pixels), run, row.isa, row.nhwc_to_nchw_32, 4, channels,
          pixels);
      add(fmt::format("nchw_to_nhwc_8_{}x{}", channels, pixels), run, row.isa, row.nchw_to_nhwc_8, 1, channels, pixels);
      add(fmt::format("nhwc_to_nchw_8_{}x{}", channels, pixels), run, row.isa, row.nhwc_to_nchw_8, 1, channels, pixels);
    }
    for (const int bytes : {96, 512, 1024}) add(fmt::format("copy_rows_{}", bytes), run_copy, row, bytes);
  }
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
