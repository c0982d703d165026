// Conversions of a 28x28x128 activation, and of a 224x224 image, against memcpy of as many bytes.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/aligned_values.h"
#include "bench/copy_rate.h"
#include "kernels/convert/convert.h"

namespace fovea::kernels {
namespace {

constexpr std::int64_t kCount = 28 * 28 * 128;
constexpr std::int64_t kPixels = 224 * 224 * 3;

void run(benchmark::State& state, const ConvertKernels& k, int which) {
  if (!detect_cpu().has(k.isa)) return state.SkipWithError("the CPU lacks this ISA");
  bench::AlignedValues<float> f(kPixels, 3.25f);
  bench::AlignedValues<std::uint8_t> q(kPixels, 7);
  bench::AlignedValues<std::uint16_t> h(kPixels);
  const bench::AlignedValues<float> scale(128, 0.1f), zero_point(128, 3);
  const Broadcast tensor{Operand::kScalar}, channels{Operand::kInner, 128}, rgb{Operand::kInner, 3};
  switch (which) {
    case 0:
      return bench::measure_copying(state, 5.0 * kCount, [&] {
        k.quantize_u8({tensor, f.data(), scale.data(), zero_point.data(), q.data()}, 0, kCount);
      });
    case 1:
      return bench::measure_copying(state, 5.0 * kCount, [&] {
        k.dequantize_s8({channels, q.data(), scale.data(), zero_point.data(), f.data()}, 0, kCount);
      });
    case 2:
      return bench::measure_copying(state, 5.0 * kPixels, [&] {
        k.normalize_f32({rgb, q.data(), zero_point.data(), scale.data(), f.data()}, 0, kPixels);
      });
    case 3:
      return bench::measure_copying(state, 6.0 * kCount, [&] { k.f32_to_bf16(f.data(), h.data(), 0, kCount); });
    default:
      return bench::measure_copying(state, 6.0 * kCount, [&] { k.bf16_to_f32(h.data(), f.data(), 0, kCount); });
  }
}

const bool kRegistered = [] {
  const char* names[] = {"quantize_u8", "dequantize_s8", "normalize_rgb", "f32_to_bf16", "bf16_to_f32"};
  for (const ConvertKernels& row : convert_kernels())
    for (int which = 0; which < 5; ++which)
      if (row.isa != Isa::kScalar)
        benchmark::RegisterBenchmark(fmt::format("{}/{}", row.name, names[which]).c_str(), run, row, which)
            ->Unit(benchmark::kMicrosecond)
            ->MinTime(0.05);
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
