// The 8-bit indirect GEMM on the convolutions of ResNet-50, MobileNet v1 and v2 (batch 1, one thread, warm caches).
// "percent_of_peak" compares the best run with the best VPDPBUSD loop of the same ISA, measured in between. Layers with
// padding may pass 100: the nominal products count the taps in the padding.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <limits>

#include "base/aligned_buffer.h"
#include "base/rng.h"
#include "bench/network_layers.h"
#include "bench/peak_rate.h"
#include "kernels/igemm_u8s8/igemm_u8s8.h"

namespace fovea::kernels {
namespace {

using Layer = bench::ConvLayer;

enum class Sum { kNone, kPlain, kAfterQuantisation };  // with the other branch of a residual block

class LayerData {
 public:
  LayerData(const Layer& layer, Isa isa, Sum sum) {
    const std::int64_t pad = layer.kernel / 2, out = (layer.size + 2 * pad - layer.kernel) / layer.stride + 1;
    const bool first_layer = layer.in_channels <= 4;
    const std::int64_t in = first_layer ? (out - 1) * layer.stride + layer.kernel : layer.size;
    IgemmU8S8& p = problem_;
    p.m = out * out;
    p.panels = igemm_u8s8_panels(isa, layer.out_channels);
    const std::uint8_t* x = random<std::uint8_t>(x_, in * in * layer.in_channels + 64);
    const std::int8_t* w =
        random<std::int8_t>(w_, std::int64_t{layer.out_channels} * layer.in_channels * layer.kernel * layer.kernel);
    IgemmU8Weights weights;
    if (first_layer) {
      const PaddedImage<std::uint8_t> image{x, in, in, layer.in_channels};
      p.a = padded_image_rows(image, layer.kernel, layer.stride, layer.stride, out, out);
      p.k = layer.kernel * layer.in_channels;
      weights = oihw_row_weights_s8(w, layer.in_channels, layer.kernel, layer.kernel);
    } else {
      p.a = image_rows(layer, x, out);
      p.k = layer.in_channels;
      weights = oihw_weights_s8(w, layer.in_channels, layer.kernel, layer.kernel);
    }
    const std::int64_t taps = p.a.taps(), columns = p.panels.column(p.panels.count());
    auto* packed =
        random<std::int8_t>(packed_, static_cast<std::int64_t>(igemm_u8s8_packed_bytes(p.panels, taps, p.k)));
    igemm_u8s8_pack(p.panels, weights, taps, p.k, packed);
    p.columns = {packed, random<std::int32_t>(sums_, columns * taps), nullptr, random<float>(multiplier_, columns),
                 random<float>(bias_, columns)};
    p.c = random<std::uint8_t>(c_, p.m * layer.out_channels);
    p.c_stride = layer.out_channels;
    p.requantise.may_overflow = false;
    if (sum == Sum::kNone) return;
    p.residual = random<std::uint8_t>(residual_, p.m * layer.out_channels);
    p.residual_stride = layer.out_channels;
    p.requantise.residual_scale = 0.5f;
    p.requantise.middle = sum == Sum::kAfterQuantisation;
  }
  const IgemmU8S8& problem() const { return problem_; }
  double macs() const {
    return static_cast<double>(problem_.m) * static_cast<double>(problem_.panels.n * problem_.a.taps() * problem_.k);
  }

 private:
  template <class T>
  static T* random(AlignedBuffer& buffer, std::int64_t count) {
    buffer = AlignedBuffer(static_cast<std::size_t>(count) * sizeof(T));
    T* values = reinterpret_cast<T*>(buffer.data());
    Rng rng(1);
    for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<T>(rng.uniform(0, 100));
    return values;
  }
  static ConvRows<std::uint8_t> image_rows(const Layer& layer, const std::uint8_t* x, std::int64_t out) {
    if (layer.kernel == 1 && layer.stride == 1) return dense_rows(x, out * out, layer.in_channels);
    const std::int64_t row = std::int64_t{layer.size} * layer.in_channels, pad = layer.kernel / 2;
    return {x,
            row * layer.size,
            row,
            layer.in_channels,
            layer.size,
            layer.size,
            out,
            out,
            layer.kernel,
            layer.kernel,
            layer.stride,
            layer.stride,
            1,
            1,
            pad,
            pad};
  }

  IgemmU8S8 problem_;
  AlignedBuffer x_, w_, residual_, packed_, sums_, multiplier_, bias_, c_;
};

void run_layer(benchmark::State& state, const Layer& layer, Isa isa, Sum sum) {
  const CpuFeatures cpu = detect_cpu().limited_to(isa);
  if (!cpu.has(isa)) {
    state.SkipWithError("the CPU lacks this ISA");
    return;
  }
  const LayerData data(layer, isa, sum);
  double best_seconds = std::numeric_limits<double>::infinity();
  double peak = bench::peak_rate(PeakKind::kInt8, cpu);
  for (auto _ : state) {
    const double start = bench::seconds_now();
    igemm_u8s8(data.problem());
    benchmark::ClobberMemory();
    best_seconds = std::min(best_seconds, bench::seconds_now() - start);
  }
  peak = std::max(peak, bench::peak_rate(PeakKind::kInt8, cpu));
  state.counters["best_gmacs_per_s"] = data.macs() / best_seconds * 1e-9;
  state.counters["percent_of_peak"] = 100 * data.macs() / best_seconds / peak;
}

// Registered at start-up: the names hold the layer, which the library's macros cannot compute.
const bool kRegistered = [] {
  for (const Isa isa : {Isa::kAvx512Vnni, Isa::kAvx2}) {
    for (const Layer& layer : bench::kConvLayers) {
      for (const Sum sum : {Sum::kNone, Sum::kPlain, Sum::kAfterQuantisation}) {
        const bool ends_block = layer.kernel == 1 && layer.stride == 1 && layer.out_channels == 4 * layer.in_channels;
        if (sum != Sum::kNone && !ends_block) continue;
        const std::string name =
            fmt::format("igemm_u8s8/{}/{}/{}x{}x{}x{}_stride{}_from{}{}", isa_name(isa), layer.network,
                        layer.out_channels, layer.in_channels, layer.kernel, layer.kernel, layer.stride, layer.size,
                        sum == Sum::kNone    ? ""
                        : sum == Sum::kPlain ? "_add"
                                             : "_quantise_add");
        benchmark::RegisterBenchmark(name.c_str(), run_layer, layer, isa, sum)
            ->Unit(benchmark::kMicrosecond)
            ->MinTime(0.05);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
