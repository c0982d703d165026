// fovea mlperf loadgen: is the official LoadGen there, which one, and what does a query cost before anything is
// computed?
#include <unistd.h>

#include <filesystem>

#include "cli/command.h"
#include "mlperf/null_sut.h"

namespace fovea::cli {
namespace {

struct LoadgenOptions {
  std::string loadgen;
  int milliseconds = 1000;
};

// A folder that goes away with its object.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(std::filesystem::temp_directory_path() / fmt::format("fovea-loadgen-{}", ::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Status check_loadgen(const LoadgenOptions& options, const Context& context) {
  FOVEA_TRY(const auto loadgen, mlperf::open_loadgen(options.loadgen));
  const TemporaryFolder folder;
  FOVEA_TRY(const mlperf::Overhead o, mlperf::measure_overhead(*loadgen, folder.path(), options.milliseconds));
  say(context,
      fmt::format("LoadGen {} ({})\n"
                  "a query that computes nothing: {:.2f} us, of which {:.2f} us hand the response in ({} queries)\n"
                  "a sample of a large query: {:.2f} us\n"
                  "MultiStream at a fixed interval (rules up to v1.0): {}\n",
                  loadgen->version(), loadgen->origin(), o.us_per_query, o.issue_us, o.queries, o.offline_us_per_sample,
                  loadgen->has_fixed_interval() ? "yes" : "no, this LoadGen has it no more"));
  return deliver(context, {{"loadgen_version", loadgen->version()},
                           {"loadgen_origin", loadgen->origin()},
                           {"fixed_interval_multi_stream", loadgen->has_fixed_interval()},
                           {"queries", o.queries},
                           {"us_per_query", o.us_per_query},
                           {"completion_us_per_query", o.issue_us},
                           {"offline_us_per_sample", o.offline_us_per_sample}});
}

}  // namespace

void add_mlperf_loadgen(CLI::App& command, Context& context) {
  auto options = std::make_shared<LoadgenOptions>();
  command.add_option("--loadgen", options->loadgen, "Python environment that holds mlcommons-loadgen")
      ->type_name("DIR");
  command.add_option("--milliseconds", options->milliseconds, "How long each of the two measurements takes")
      ->check(CLI::Range(10, 600'000))
      ->capture_default_str();
  add_common_options(command, context,
                     "  fovea mlperf loadgen\n  fovea mlperf loadgen --loadgen build/venv-loadgen --json");
  command.callback(
      [options, &context] { context.run = [options, &context] { return check_loadgen(*options, context); }; });
}

}  // namespace fovea::cli
