#include "measure/machine.h"

#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/aligned_buffer.h"
#include "base/clock.h"
#include "kernels/peak/peak.h"

namespace fovea {
namespace {

// Best rate of `units_per_call` over rounds of about a millisecond, until the time is up.
template <class Body>
double best_rate(ThreadPool& pool, double units_per_call, int milliseconds, Body body) {
  const std::int64_t stop = now_ns() + std::int64_t{1'000'000} * milliseconds;
  double best = 0;
  do {
    const std::int64_t begin = now_ns();
    pool.run(pool.threads(), body);
    const auto ns = static_cast<double>(now_ns() - begin);
    best = std::max(best, units_per_call * pool.threads() / ns);
  } while (now_ns() < stop);
  return best;  // units a nanosecond: 1e9 a second
}

double compute_peak(ThreadPool& pool, const kernels::PeakKernel* kernel, int milliseconds) {
  if (!kernel) return 0;
  constexpr std::int64_t kIterations = 200'000;
  std::atomic<int> sink{0};
  return best_rate(pool, kernel->macs_per_iteration * kIterations, milliseconds, [&](int) {
    if (kernel->run(kIterations) == 12345.678f) sink.fetch_add(1);
  });
}

// GB/s of all members of the pool, each reading `bytes` of its own `repeats` times in a row.
double read_rate(ThreadPool& pool, std::int64_t bytes, int repeats, int milliseconds) {
  bytes = static_cast<std::int64_t>(round_up(static_cast<std::size_t>(bytes), 256));
  AlignedBuffer data(static_cast<std::size_t>(bytes * pool.threads()));
  std::memset(data.data(), 1, data.size());
  std::atomic<std::uint64_t> sink{0};
  return best_rate(pool, static_cast<double>(bytes) * repeats, milliseconds, [&](int part) {
    std::uint64_t sum = 0;
    for (int i = 0; i < repeats; ++i) sum += kernels::read_stream(data.data() + part * bytes, bytes);
    sink.fetch_add(sum, std::memory_order_relaxed);
  });
}

std::int64_t status_kib(const char* key) {
  std::ifstream file("/proc/self/status");
  std::string line;
  while (std::getline(file, line))
    if (line.rfind(key, 0) == 0) return std::strtoll(line.c_str() + std::strlen(key), nullptr, 10) * 1024;
  return 0;
}

}  // namespace

double measure_f32_peak(ThreadPool& pool, const CpuFeatures& cpu, int milliseconds) {
  return compute_peak(pool, kernels::select_peak(kernels::PeakKind::kF32, cpu), milliseconds);
}

double peak_for(const MachinePeak& peak, Precision precision) {
  switch (precision) {
    case Precision::kFp32: return peak.f32_gmacs;
    case Precision::kBf16: return peak.bf16_gmacs;
    case Precision::kInt8:
    case Precision::kInt8Bf16: return peak.int8_gmacs;
  }
  return 0;
}

MachinePeak measure_peak(ThreadPool& pool, const CpuFeatures& cpu, int milliseconds) {
  MachinePeak peak;
  peak.threads = pool.threads();
  const int each = std::max(1, milliseconds / 5);
  peak.f32_gmacs = measure_f32_peak(pool, cpu, each);
  peak.bf16_gmacs = compute_peak(pool, kernels::select_peak(kernels::PeakKind::kBf16, cpu), each);
  peak.int8_gmacs = compute_peak(pool, kernels::select_peak(kernels::PeakKind::kInt8, cpu), each);
  // Several times the last-level cache in all, so that it comes from memory; half the level-2 cache, so that it does not.
  const Topology topology = detect_topology();
  const std::int64_t l3 = std::max<std::int64_t>(topology.l3_bytes, 8 << 20);
  peak.read_gbytes = read_rate(pool, 4 * l3 / pool.threads(), 1, each);
  peak.l2_bytes = topology.l2_bytes;
  if (peak.l2_bytes > 0) peak.l2_gbytes = read_rate(pool, peak.l2_bytes / 2, 64, each);
  return peak;
}

std::int64_t peak_resident_bytes() { return status_kib("VmHWM:"); }
std::int64_t resident_bytes() { return status_kib("VmRSS:"); }

}  // namespace fovea
