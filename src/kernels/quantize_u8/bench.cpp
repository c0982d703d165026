// Quantisation of a 224x224 image of 3 channels, in its order and from planes, against memcpy of as many bytes.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/aligned_values.h"
#include "bench/copy_rate.h"
#include "kernels/quantize_u8/quantize_u8.h"

namespace fovea::kernels {
namespace {

constexpr std::int64_t kPixels = 224 * 224;

void run(benchmark::State& state, const QuantizeU8Kernels& row, bool interleaves, bool divides) {
  if (!detect_cpu().has(row.isa)) return state.SkipWithError("the CPU lacks this ISA");
  bench::AlignedValues<float> x(3 * kPixels, 1.25f);
  bench::AlignedValues<std::uint8_t> y(3 * kPixels);
  QuantizerU8 q = quantizer_u8(0.017f, 114);
  q.divides = divides;
  bench::measure_copying(state, 5.0 * 3 * kPixels, [&] {
    if (interleaves)
      row.interleave({q, 3, kPixels, x.data(), y.data()}, 0, kPixels);
    else
      row.quantize(q, x.data(), y.data(), 0, 3 * kPixels);
  });
}

const bool kRegistered = [] {
  for (const QuantizeU8Kernels& row : quantize_u8_kernels())
    if (row.isa != Isa::kScalar)
      for (const bool interleaves : {false, true})
        for (const bool divides : {false, true})
          benchmark::RegisterBenchmark(
              fmt::format("{}/{}{}", row.name, interleaves ? "planes" : "plain", divides ? "_dividing" : "").c_str(),
              run, row, interleaves, divides)
              ->Unit(benchmark::kMicrosecond)
              ->MinTime(0.05);
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
