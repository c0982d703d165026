// Feeds seeded mutants of JPEG and PNG files to decode_image. Exits 1 at the first that is treated wrongly; a sanitizer
// build finds the rest. Usage: fuzz_image_mutation [--count N] [--seed S] [--max-mib M]
#include <cstdio>
#include <string>

#include "base/clock.h"
#include "data/image_mutator.h"
#include "tests/fuzz/command_line.h"

int main(int argc, char** argv) {
  std::uint64_t count = 20'000, seed = 1, max_mib = 2048;
  const fovea::fuzz::Flag flags[] = {{"--count", &count}, {"--seed", &seed}, {"--max-mib", &max_mib}};
  if (!fovea::fuzz::read_flags(argc, argv, flags)) {
    std::fprintf(stderr, "usage: %s [--count N] [--seed S] [--max-mib M]\n", argv[0]);
    return 2;
  }
  constexpr std::int64_t kSlowest_ns = 2'500'000'000;  // the decoder's own limit is 2 s of CPU time
  const auto seeds = fovea::mutation_seeds();
  fovea::Rng rng(seed);
  std::int64_t slowest_ns = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const fovea::Bytes mutant = fovea::mutate(seeds[i % seeds.size()], rng);
    const std::int64_t begin_ns = fovea::now_ns();
    const std::string complaint = fovea::complaint_about(mutant, i % 3 != 0);
    slowest_ns = std::max(slowest_ns, fovea::now_ns() - begin_ns);
    if (!complaint.empty()) {
      std::fprintf(stderr, "mutant %llu of seed %llu: %s\n", static_cast<unsigned long long>(i),
                   static_cast<unsigned long long>(seed), complaint.c_str());
      return 1;
    }
  }
  std::printf("images: %llu mutants, slowest %.0f ms, peak %llu MiB\n", static_cast<unsigned long long>(count),
              static_cast<double>(slowest_ns) / 1e6, static_cast<unsigned long long>(fovea::fuzz::peak_mib()));
  if (slowest_ns > kSlowest_ns || fovea::fuzz::peak_mib() > max_mib) {
    std::fprintf(stderr, "limits passed: %lld ns a mutant, %llu MiB\n", static_cast<long long>(kSlowest_ns),
                 static_cast<unsigned long long>(max_mib));
    return 1;
  }
  return 0;
}
