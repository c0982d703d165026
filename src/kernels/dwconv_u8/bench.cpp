// The depthwise convolutions of MobileNet v1, v2, v3 and EfficientNet-Lite0 in 8-bit integers (batch 1, one thread,
// warm caches). "percent_of_peak" compares the best run with the best VPDPBUSD loop of the same ISA, measured beside
// it, of whose four products a lane three or five of eight can be used; the nominal products count the taps in the
// padding.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/aligned_buffer.h"
#include "base/rng.h"
#include "bench/aligned_values.h"
#include "bench/peak_rate.h"
#include "kernels/dwconv_u8/dwconv_u8.h"

namespace fovea::kernels {
namespace {

struct Layer {
  const char* network;
  int channels, kernel, stride, size;
};

constexpr Layer kLayers[] = {
    {"mobilenet1", 32, 3, 1, 112},   {"mobilenet1", 64, 3, 2, 112},   {"mobilenet1", 128, 3, 1, 56},
    {"mobilenet1", 128, 3, 2, 56},   {"mobilenet1", 256, 3, 1, 28},   {"mobilenet1", 256, 3, 2, 28},
    {"mobilenet1", 512, 3, 1, 14},   {"mobilenet1", 512, 3, 2, 14},   {"mobilenet1", 1024, 3, 1, 7},
    {"mobilenet2", 96, 3, 2, 112},   {"mobilenet2", 144, 3, 1, 56},   {"mobilenet2", 144, 3, 2, 56},
    {"mobilenet2", 192, 3, 1, 28},   {"mobilenet2", 192, 3, 2, 28},   {"mobilenet2", 384, 3, 1, 14},
    {"mobilenet2", 576, 3, 1, 14},   {"mobilenet2", 576, 3, 2, 14},   {"mobilenet2", 960, 3, 1, 7},
    {"mobilenet3", 16, 3, 2, 112},   {"mobilenet3", 72, 3, 2, 56},    {"mobilenet3", 88, 3, 1, 28},
    {"mobilenet3", 96, 5, 2, 28},    {"mobilenet3", 240, 5, 1, 14},   {"mobilenet3", 120, 5, 1, 14},
    {"mobilenet3", 576, 5, 1, 7},    {"efficientnet", 144, 5, 2, 56}, {"efficientnet", 240, 5, 1, 28},
    {"efficientnet", 480, 5, 1, 14}, {"efficientnet", 672, 5, 1, 14}, {"efficientnet", 672, 5, 2, 14},
    {"efficientnet", 1152, 5, 1, 7},
};

template <class T>
bench::AlignedValues<T> random_values(std::size_t count) {
  bench::AlignedValues<T> values(count);
  Rng rng(1);
  for (T& v : values) v = static_cast<T>(rng.next());
  return values;
}

void run_layer(benchmark::State& state, const Layer& layer, Isa isa) {
  const CpuFeatures cpu = detect_cpu().limited_to(isa);
  if (!cpu.has(isa)) {
    state.SkipWithError("the CPU lacks this ISA");
    return;
  }
  DwConvU8Args args;
  DwConvU8Shape& s = args.shape;
  s.channels = layer.channels;
  s.in_h = s.in_w = layer.size;
  s.kernel_h = s.kernel_w = layer.kernel;
  s.stride_h = s.stride_w = layer.stride;
  s.pad_top = s.pad_left = layer.kernel / 2;
  s.out_h = s.out_w = (layer.size + layer.stride - 1) / layer.stride;
  const std::size_t channels = static_cast<std::size_t>(s.channels);
  const std::size_t out = static_cast<std::size_t>(s.out_h * s.out_w) * channels;
  const auto x = random_values<std::uint8_t>(static_cast<std::size_t>(s.in_h * s.in_w) * channels);
  const auto w = random_values<std::int8_t>(static_cast<std::size_t>(s.kernel_h * s.kernel_w) * channels);
  bench::AlignedValues<float> multiplier(channels), bias(channels);
  std::fill(multiplier.begin(), multiplier.end(), 1e-3f);
  std::fill(bias.begin(), bias.end(), 10.0f);
  bench::AlignedValues<std::uint8_t> y(out);

  const DwConvU8Kernel& kernel = select_dwconv_u8(s, cpu);
  const DwConvU8Weights weights{w.data(), nullptr, multiplier.data(), bias.data(), 10};
  AlignedBuffer packed(dwconv_u8_packed_bytes(kernel, s, weights));
  pack_dwconv_u8(kernel, s, weights, packed.data());
  args.x = x.data();
  args.x_pixel = args.y_pixel = s.channels;
  args.x_row = std::int64_t{s.in_w} * s.channels;
  args.y_row = std::int64_t{s.out_w} * s.channels;
  args.x_zero_point = weights.x_zero_point;
  args.packed = packed.data();
  args.y = y.data();
  args.requantise.kind = EpilogueKind::kClip;
  args.requantise.may_overflow = false;

  double best_seconds = std::numeric_limits<double>::infinity();
  double peak = bench::peak_rate(PeakKind::kInt8, cpu);
  for (auto _ : state) {
    const double start = bench::seconds_now();
    kernel.run(args, 0, s.out_h);
    benchmark::ClobberMemory();
    best_seconds = std::min(best_seconds, bench::seconds_now() - start);
  }
  peak = std::max(peak, bench::peak_rate(PeakKind::kInt8, cpu));
  const double macs = static_cast<double>(out) * layer.kernel * layer.kernel;
  state.counters["best_gmacs_per_s"] = macs / best_seconds * 1e-9;
  state.counters["percent_of_peak"] = 100 * macs / best_seconds / peak;
}

// Registered at start-up: the names hold the layer, which the library's macros cannot compute.
const bool kRegistered = [] {
  for (const Isa isa : {Isa::kAvx512Vnni, Isa::kAvx2})
    for (const Layer& layer : kLayers) {
      const std::string name = fmt::format("dwconv_u8/{}/{}/{}x{}x{}_stride{}_from{}", isa_name(isa), layer.network,
                                           layer.channels, layer.kernel, layer.kernel, layer.stride, layer.size);
      benchmark::RegisterBenchmark(name.c_str(), run_layer, layer, isa)->Unit(benchmark::kMicrosecond)->MinTime(0.05);
    }
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
