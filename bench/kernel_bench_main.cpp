// Runs the benchmarks of all kernel families, with the CPU and its measured peaks stated first.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/peak_rate.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const fovea::CpuFeatures cpu = fovea::detect_cpu();
  benchmark::AddCustomContext("cpu", cpu.brand);
  struct Peak {
    const char* name;
    fovea::kernels::PeakKind kind;
  };
  for (const Peak& peak : {Peak{"fp32", fovea::kernels::PeakKind::kF32}, Peak{"bf16", fovea::kernels::PeakKind::kBf16},
                           Peak{"int8", fovea::kernels::PeakKind::kInt8}}) {
    const double rate = fovea::bench::peak_rate(peak.kind, cpu, 20);
    benchmark::AddCustomContext(fmt::format("peak_{}_gmacs_per_s", peak.name),
                                rate > 0 ? fmt::format("{:.1f}", rate * 1e-9) : "not supported");
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
