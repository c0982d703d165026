// Average pools on u8 as networks have them, against memcpy of as many bytes.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/aligned_values.h"
#include "bench/copy_rate.h"
#include "kernels/pool_u8/pool_u8.h"

namespace fovea::kernels {
namespace {

template <class Out>
void run(benchmark::State& state, Isa isa, AveragePoolU8Function function, PoolShape s) {
  if (!detect_cpu().has(isa)) return state.SkipWithError("the CPU lacks this ISA");
  bench::AlignedValues<std::uint8_t> x(static_cast<std::size_t>(s.in_h) * s.in_w * s.channels, 7);
  bench::AlignedValues<Out> y(static_cast<std::size_t>(s.out_h) * s.out_w * s.channels);
  const AveragePoolU8Args args{s, false, 3, 5, 0.5, 0, s.channels, x.data(), y.data()};
  bench::measure_copying(state, static_cast<double>(x.size() + y.size() * sizeof(Out)),
                         [&] { function(args, 0, s.out_h); });
}

PoolShape global(int channels, int size) { return {channels, size, size, 1, 1, size, size}; }

const bool kRegistered = [] {
  for (const PoolU8Kernels& row : pool_u8_kernels()) {
    if (row.isa == Isa::kScalar) continue;
    const auto add = [&](const char* name, auto... arguments) {
      benchmark::RegisterBenchmark(fmt::format("{}/{}", row.name, name).c_str(), arguments...)
          ->Unit(benchmark::kMicrosecond)
          ->MinTime(0.05);
    };
    add("global_u8_7x7x1024", run<std::uint8_t>, row.isa, row.average_to_u8, global(1024, 7));
    add("global_f32_7x7x2048", run<float>, row.isa, row.average_to_f32, global(2048, 7));
    add("global_u8_14x14x672", run<std::uint8_t>, row.isa, row.average_to_u8, global(672, 14));
    add("global_u8_56x56x16", run<std::uint8_t>, row.isa, row.average_to_u8, global(16, 56));
    add("densenet_2x2s2", run<std::uint8_t>, row.isa, row.average_to_u8, PoolShape{128, 56, 56, 28, 28, 2, 2, 2, 2});
    add("inception_3x3s1", run<std::uint8_t>, row.isa, row.average_to_u8,
        PoolShape{192, 35, 35, 35, 35, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1});
  }
  return true;
}();

}  // namespace
}  // namespace fovea::kernels
