// The fp32 indirect GEMM on the convolutions of ResNet-50, MobileNet v1 and v2 (batch 1, one thread, warm caches).
// "percent_of_peak" compares the best run with the best FMA loop of the same ISA, measured in between. Layers with
// padding may pass 100: the nominal products count the taps in the padding.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <limits>

#include "base/aligned_buffer.h"
#include "base/rng.h"
#include "bench/network_layers.h"
#include "bench/peak_rate.h"
#include "kernels/igemm_f32/igemm_f32.h"

namespace fovea::kernels {
namespace {

using Layer = bench::ConvLayer;

class LayerData {
 public:
  LayerData(const Layer& layer, Isa isa) {
    const std::int64_t pad = layer.kernel / 2, out = (layer.size + 2 * pad - layer.kernel) / layer.stride + 1;
    const bool first_layer = layer.in_channels <= 4;
    const std::int64_t padded = (out - 1) * layer.stride + layer.kernel;
    const std::int64_t in = first_layer ? padded : layer.size;
    problem_.m = out * out;
    problem_.panels = igemm_f32_panels(isa, layer.out_channels);
    const float* x = random(x_, in * in * layer.in_channels);
    const float* w = random(w_, std::int64_t{layer.out_channels} * layer.in_channels * layer.kernel * layer.kernel);
    IgemmWeights weights;
    if (first_layer) {
      problem_.a =
          padded_image_rows<float>({x, in, in, layer.in_channels}, layer.kernel, layer.stride, layer.stride, out, out);
      problem_.k = layer.kernel * layer.in_channels;
      weights = oihw_row_weights(w, layer.in_channels, layer.kernel, layer.kernel);
    } else {
      problem_.a = image_rows(layer, x, out);
      problem_.k = layer.in_channels;
      weights = oihw_weights(w, layer.in_channels, layer.kernel, layer.kernel);
    }
    const std::int64_t taps = problem_.a.taps();
    packed_ = AlignedBuffer(igemm_f32_packed_floats(problem_.panels, taps, problem_.k) * sizeof(float));
    float* packed = reinterpret_cast<float*>(packed_.data());
    igemm_f32_pack(problem_.panels, weights, taps, problem_.k, packed);
    problem_.b = packed;
    problem_.bias = random(bias_, layer.out_channels);
    problem_.c_stride = layer.out_channels;
    problem_.c = random(c_, problem_.m * layer.out_channels);
    problem_.epilogue = {EpilogueKind::kClip, 0, std::numeric_limits<float>::infinity()};
  }
  const IgemmF32& problem() const { return problem_; }
  double macs() const {
    return static_cast<double>(problem_.m) * static_cast<double>(problem_.panels.n * problem_.a.taps() * problem_.k);
  }

 private:
  static float* random(AlignedBuffer& buffer, std::int64_t count) {
    buffer = AlignedBuffer(static_cast<std::size_t>(count) * sizeof(float));
    float* values = reinterpret_cast<float*>(buffer.data());
    Rng rng(1);
    for (std::int64_t i = 0; i < count; ++i) values[i] = rng.uniform(-1, 1);
    return values;
  }
  static IgemmRows image_rows(const Layer& layer, const float* x, std::int64_t out) {
    if (layer.kernel == 1 && layer.stride == 1) return dense_rows(x, out * out, layer.in_channels);
    IgemmRows rows;
    rows.base = x;
    rows.pixel_stride = layer.in_channels;
    rows.row_stride = std::int64_t{layer.size} * layer.in_channels;
    rows.in_h = rows.in_w = layer.size;
    rows.out_h = rows.out_w = out;
    rows.kernel_h = rows.kernel_w = layer.kernel;
    rows.stride_h = rows.stride_w = layer.stride;
    rows.pad_top = rows.pad_left = layer.kernel / 2;
    return rows;
  }

  IgemmF32 problem_;
  AlignedBuffer x_, w_, packed_, bias_, c_;
};

void run_layer(benchmark::State& state, const Layer& layer, Isa isa) {
  const CpuFeatures cpu = detect_cpu().limited_to(isa);
  if (!cpu.has(isa)) {
    state.SkipWithError("the CPU lacks this ISA");
    return;
  }
  const LayerData data(layer, isa);
  double best_seconds = std::numeric_limits<double>::infinity();
  double peak = bench::peak_rate(PeakKind::kF32, cpu);
  for (auto _ : state) {
    const double start = bench::seconds_now();
    igemm_f32(data.problem());
    benchmark::ClobberMemory();
    best_seconds = std::min(best_seconds, bench::seconds_now() - start);
  }
  peak = std::max(peak, bench::peak_rate(PeakKind::kF32, cpu));
  state.counters["best_gmacs_per_s"] = data.macs() / best_seconds * 1e-9;
  state.counters["percent_of_peak"] = 100 * data.macs() / best_seconds / peak;
}

// Registered at start-up: the names hold the layer, which the library's macros cannot compute.
const bool kRegistered = [] {
  for (const Isa isa : {Isa::kAvx512, Isa::kAvx2}) {
    for (const Layer& layer : bench::kConvLayers) {
      const std::string name =
          fmt::format("igemm_f32/{}/{}/{}x{}x{}x{}_stride{}_from{}", isa_name(isa), layer.network, layer.out_channels,
                      layer.in_channels, layer.kernel, layer.kernel, layer.stride, layer.size);
      benchmark::RegisterBenchmark(name.c_str(), run_layer, layer, isa)->Unit(benchmark::kMicrosecond)->MinTime(0.05);
    }
  }
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
