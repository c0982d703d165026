#include "tests/fuzz/campaign.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/result.h"
#include "tests/fuzz/command_line.h"

namespace fovea::fuzz {
namespace {

constexpr double kSlowest_s = 1;

struct Options {
  std::uint64_t count = 20'000, seed = 1, max_mib = 2048, only = UINT64_MAX;
  std::string save = ".";
};

bool read_options(int argc, char** argv, Options& options) {
  const Flag flags[] = {{"--count", &options.count},
                        {"--seed", &options.seed},
                        {"--max-mib", &options.max_mib},
                        {"--only", &options.only},
                        {"--save", nullptr, &options.save}};
  return read_flags(argc, argv, flags);
}

// Processor time of this thread: a busy machine does not make a mutant slow.
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// A file that always holds the bytes of the mutant at work.
class Keeper {
 public:
  explicit Keeper(std::string path) : path_(std::move(path)) {}
  bool keep(const Bytes& bytes) {
    std::ofstream out(path_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return static_cast<bool>(out.flush());
  }
  void forget() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string complaint_about(const Bytes& mutant, Rng& rng, Counts& counts, Treatment treatment) try {
  return treatment(mutant, rng, counts);
} catch (const std::exception& e) {
  return fmt::format("exception: {}", e.what());
}

}  // namespace

int run_campaign(int argc, char** argv, Treatment treatment, const Format& format) {
  Options options;
  if (!read_options(argc, argv, options)) {
    fmt::print(stderr, "usage: {} [--count N] [--seed S] [--max-mib M] [--only I] [--save FOLDER]\n", argv[0]);
    return 2;
  }
  const std::string program = std::filesystem::path(argv[0]).filename().string();
  Keeper keeper(fmt::format("{}/{}-mutant.{}", options.save, program, format.extension));
  const std::vector<Seed> seeds = format.seeds();
  Counts counts;
  double slowest_s = 0;
  const std::uint64_t begin = options.only == UINT64_MAX ? 0 : options.only;
  const std::uint64_t end = options.only == UINT64_MAX ? options.count : options.only + 1;
  for (std::uint64_t i = begin; i < end; ++i) {
    Rng rng(options.seed * 0x9e3779b97f4a7c15ull + i);
    const Bytes mutant = format.mutate(seeds, i, rng);
    if (!keeper.keep(mutant)) {
      fmt::print(stderr, "cannot write {}\n", keeper.path());
      return 2;
    }
    const double begin_s = cpu_seconds();
    std::string complaint = complaint_about(mutant, rng, counts, treatment);
    const double taken_s = cpu_seconds() - begin_s;
    slowest_s = std::max(slowest_s, taken_s);
    if (complaint.empty() && taken_s > kSlowest_s) complaint = fmt::format("took {:.2f} s", taken_s);
    if (complaint.empty() && peak_mib() > options.max_mib) complaint = fmt::format("peak memory is {} MiB", peak_mib());
    if (!complaint.empty()) {
      fmt::print(stderr, "mutant {} of seed {} (from {}, kept in {}): {}\n", i, options.seed,
                 seeds[i % seeds.size()].name, keeper.path(), complaint);
      return 1;
    }
  }
  keeper.forget();
  fmt::print("{}: {} mutants of {} models, slowest {:.0f} ms, peak {} MiB", program, end - begin, seeds.size(),
             slowest_s * 1e3, peak_mib());
  for (const auto& [stage, count] : counts) fmt::print(", {} {}", count, stage);
  fmt::print("\n");
  return 0;
}

}  // namespace fovea::fuzz
