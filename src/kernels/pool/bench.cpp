// Pools of real networks (batch 1, one thread, warm caches) against memcpy of the bytes read and written once.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/aligned_values.h"
#include "bench/copy_rate.h"
#include "kernels/pool/pool.h"

namespace fovea::kernels {
namespace {

struct Case {
  const char* name;
  int channels, size, kernel, stride, pad;
};
constexpr Case kMax[] = {{"resnet_3x3s2", 64, 112, 3, 2, 1},
                         {"vgg_2x2s2", 128, 112, 2, 2, 0},
                         {"squeezenet_3x3s2", 128, 55, 3, 2, 0},
                         {"inception_3x3s1", 256, 28, 3, 1, 1}};
constexpr Case kAverage[] = {{"densenet_2x2s2", 128, 56, 2, 2, 0}, {"inception_3x3s1", 192, 35, 3, 1, 1}};

template <class T>
void run_window(benchmark::State& state, Isa isa, PoolFunction function, const Case& c) {
  if (!detect_cpu().has(isa)) return state.SkipWithError("the CPU lacks this ISA");
  PoolShape s;
  s.channels = c.channels;
  s.in_h = s.in_w = c.size;
  s.kernel_h = s.kernel_w = c.kernel;
  s.stride_h = s.stride_w = c.stride;
  s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = c.pad;
  s.out_h = s.out_w = (c.size + 2 * c.pad - c.kernel) / c.stride + 1;
  bench::AlignedValues<T> x(static_cast<std::size_t>(c.size) * c.size * c.channels);
  bench::AlignedValues<T> y(static_cast<std::size_t>(s.out_h) * s.out_w * c.channels);
  bench::measure_copying(state, static_cast<double>((x.size() + y.size()) * sizeof(T)), [&] {
    function({s, false, x.data(), y.data()}, 0, s.out_h);
  });
}

void run_global(benchmark::State& state, const PoolKernels& row, int channels) {
  if (!detect_cpu().has(row.isa)) return state.SkipWithError("the CPU lacks this ISA");
  bench::AlignedValues<float> x(49 * static_cast<std::size_t>(channels)), y(channels);
  bench::measure_copying(state, static_cast<double>(x.size() * sizeof(float)), [&] {
    row.global_average_f32({channels, 7, 7, x.data(), y.data()}, 0, channels);
  });
}

const bool kRegistered = [] {
  for (const PoolKernels& row : pool_kernels()) {
    if (row.isa == Isa::kScalar) continue;
    const auto add = [&](const std::string& name, auto... arguments) {
      benchmark::RegisterBenchmark(fmt::format("{}/{}", row.name, name).c_str(), arguments...)
          ->Unit(benchmark::kMicrosecond)
          ->MinTime(0.05);
    };
    for (const Case& c : kMax) {
      add(fmt::format("max_f32_{}", c.name), run_window<float>, row.isa, row.max_f32, c);
      add(fmt::format("max_u8_{}", c.name), run_window<std::uint8_t>, row.isa, row.max_u8, c);
    }
    for (const Case& c : kAverage)
      add(fmt::format("average_f32_{}", c.name), run_window<float>, row.isa, row.average_f32, c);
    add("global_average_f32_7x7x2048", run_global, row, 2048);
    add("global_average_f32_7x7x1280", run_global, row, 1280);
  }
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
