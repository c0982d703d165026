// The depthwise convolutions of MobileNet v1, v2, v3 and EfficientNet-Lite0 (batch 1, one thread, warm caches).
// "percent_of_peak" compares the best run with the best FMA loop of the same ISA, measured beside it; the nominal
// products count the taps in the padding.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/rng.h"
#include "bench/aligned_values.h"
#include "bench/peak_rate.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace fovea::kernels {
namespace {

struct Layer {
  const char* network;
  int channels, kernel, stride, size;
  EpilogueKind kind = EpilogueKind::kClip;
};

constexpr Layer kLayers[] = {
    {"mobilenet1", 32, 3, 1, 112},
    {"mobilenet1", 64, 3, 2, 112},
    {"mobilenet1", 128, 3, 1, 56},
    {"mobilenet1", 128, 3, 2, 56},
    {"mobilenet1", 256, 3, 1, 28},
    {"mobilenet1", 256, 3, 2, 28},
    {"mobilenet1", 512, 3, 1, 14},
    {"mobilenet1", 512, 3, 2, 14},
    {"mobilenet1", 1024, 3, 1, 7},
    {"mobilenet2", 96, 3, 2, 112},
    {"mobilenet2", 144, 3, 1, 56},
    {"mobilenet2", 384, 3, 1, 14},
    {"mobilenet2", 960, 3, 1, 7},
    {"mobilenet3", 72, 5, 2, 56, EpilogueKind::kHardSwish},
    {"mobilenet3", 120, 5, 1, 28},
    {"mobilenet3", 480, 3, 1, 14, EpilogueKind::kHardSwish},
    {"mobilenet3", 672, 5, 2, 14, EpilogueKind::kHardSwish},
    {"efficientnet", 240, 5, 1, 14},
    {"efficientnet", 480, 5, 1, 14},
    {"efficientnet", 672, 5, 1, 14},
    {"efficientnet", 1152, 5, 1, 7, EpilogueKind::kSilu},
};

bench::AlignedValues<float> random_floats(std::size_t count) {
  bench::AlignedValues<float> values(count);
  Rng rng(1);
  for (float& v : values) v = rng.uniform(-1, 1);
  return values;
}

void run_layer(benchmark::State& state, const Layer& layer, Isa isa) {
  const CpuFeatures cpu = detect_cpu().limited_to(isa);
  if (!cpu.has(isa)) {
    state.SkipWithError("the CPU lacks this ISA");
    return;
  }
  DwConvF32Args args;
  DwConvF32Shape& s = args.shape;
  s.channels = layer.channels;
  s.in_h = s.in_w = layer.size;
  s.kernel_h = s.kernel_w = layer.kernel;
  s.stride_h = s.stride_w = layer.stride;
  s.pad_top = s.pad_left = layer.kernel / 2;
  s.out_h = s.out_w = (layer.size + layer.stride - 1) / layer.stride;
  const std::size_t out = static_cast<std::size_t>(s.out_h) * s.out_w * s.channels;
  const auto x = random_floats(static_cast<std::size_t>(s.in_h) * s.in_w * s.channels);
  const auto weights = random_floats(static_cast<std::size_t>(s.kernel_h) * s.kernel_w * s.channels);
  const auto bias = random_floats(s.channels);
  bench::AlignedValues<float> y(out);
  args.x = x.data();
  args.x_pixel = args.y_pixel = s.channels;
  args.x_row = std::int64_t{s.in_w} * s.channels;
  args.y_row = std::int64_t{s.out_w} * s.channels;
  args.weights = weights.data();
  args.bias = bias.data();
  args.y = y.data();
  args.epilogue = {layer.kind, 0, 6};
  const DwConvF32Kernel& kernel = select_dwconv_f32(s, cpu);
  double best_seconds = std::numeric_limits<double>::infinity();
  double peak = bench::peak_rate(PeakKind::kF32, cpu);
  for (auto _ : state) {
    const double start = bench::seconds_now();
    kernel.run(args, 0, s.out_h);
    benchmark::ClobberMemory();
    best_seconds = std::min(best_seconds, bench::seconds_now() - start);
  }
  peak = std::max(peak, bench::peak_rate(PeakKind::kF32, cpu));
  const double macs = static_cast<double>(out) * layer.kernel * layer.kernel;
  state.counters["best_gmacs_per_s"] = macs / best_seconds * 1e-9;
  state.counters["percent_of_peak"] = 100 * macs / best_seconds / peak;
}

// Registered at start-up: the names hold the layer, which the library's macros cannot compute.
const bool kRegistered = [] {
  for (const Isa isa : {Isa::kAvx512, Isa::kAvx2})
    for (const Layer& layer : kLayers) {
      const std::string name = fmt::format("dwconv_f32/{}/{}/{}x{}x{}_stride{}_from{}", isa_name(isa), layer.network,
                                           layer.channels, layer.kernel, layer.kernel, layer.stride, layer.size);
      benchmark::RegisterBenchmark(name.c_str(), run_layer, layer, isa)->Unit(benchmark::kMicrosecond)->MinTime(0.05);
    }
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
