// A LoadGen built from MLCommons' sources (-DFOVEA_LOADGEN_SOURCE=<its loadgen folder>), behind the same boundary.
//
// Its interface changed over the rounds. What this one has is asked of its own headers while this file is compiled: an
// `if constexpr (requires …)` for every difference, and members that override where LoadGen has something to override.
#include <exception>
#include <filesystem>
#include <optional>
#include <vector>

#include "loadgen.h"
#include "mlperf/loadgen_module/module.h"
#include "query_sample_library.h"
#include "system_under_test.h"
#include "test_settings.h"
#include "version.h"

namespace fovea::mlperf {
namespace {

namespace fs = std::filesystem;

// Older LoadGens, v1.0's among them, take no path for the audit's settings but read "audit.config" of the working
// folder as a test starts: this is that folder until restore(). The process goes back before any sample is loaded, for
// whose files relative paths may be in use.
class WorkingFolder {
 public:
  explicit WorkingFolder(const fs::path& folder) : before_(fs::current_path()) { fs::current_path(folder); }
  ~WorkingFolder() { restore(); }
  WorkingFolder(const WorkingFolder&) = delete;
  void restore() {
    std::error_code ignored;
    if (!before_.empty()) fs::current_path(before_, ignored);
    before_.clear();
  }

 private:
  fs::path before_;
};

class NativeSink : public CompletionSink {
 public:
  void complete(std::span<const QueryResponse> responses) override {
    std::vector<::mlperf::QuerySampleResponse> out(responses.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].id = responses[i].id;
      out[i].data = reinterpret_cast<std::uintptr_t>(responses[i].data);
      out[i].size = responses[i].size;
    }
    ::mlperf::QuerySamplesComplete(out.data(), out.size());
  }
};

// Not marked `override`: v1.0's LoadGen has a const Name() and ReportLatencyResults(), today's has neither. What a
// LoadGen asks for beyond these would make the class abstract, and the file would not compile.
class NativeSut : public ::mlperf::SystemUnderTest {
 public:
  explicit NativeSut(fovea::mlperf::SystemUnderTest& sut) : sut_(sut) {}
  const std::string& Name() { return sut_.name(); }
  const std::string& Name() const { return sut_.name(); }
  void IssueQuery(const std::vector<::mlperf::QuerySample>& samples) {
    std::vector<QuerySample> out(samples.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = {samples[i].id, samples[i].index};
    sut_.issue(out);
  }
  void FlushQueries() { sut_.flush(); }
  void ReportLatencyResults(const std::vector<::mlperf::QuerySampleLatency>&) {}

 private:
  fovea::mlperf::SystemUnderTest& sut_;
};

// The same holds here.
class NativeLibrary : public ::mlperf::QuerySampleLibrary {
 public:
  NativeLibrary(fovea::mlperf::SampleLibrary& library, std::optional<WorkingFolder>& folder)
      : library_(library), folder_(folder) {}
  const std::string& Name() { return library_.name(); }
  const std::string& Name() const { return library_.name(); }
  std::size_t TotalSampleCount() { return library_.total_count(); }
  std::size_t PerformanceSampleCount() { return library_.performance_count(); }
  void LoadSamplesToRam(const std::vector<std::size_t>& indices) {
    if (folder_) folder_->restore();
    library_.load(indices);
  }
  void UnloadSamplesFromRam(const std::vector<std::size_t>& indices) { library_.unload(indices); }

 private:
  fovea::mlperf::SampleLibrary& library_;
  std::optional<WorkingFolder>& folder_;
};

template <class Settings>
constexpr bool kFixedInterval = requires(Settings s) {
  s.multi_stream_target_qps;
};

template <class Settings>
constexpr bool kTakesAuditConfig = requires(NativeSut& sut, NativeLibrary& library, const Settings& settings,
                                            const ::mlperf::LogSettings& log) {
  ::mlperf::StartTest(&sut, &library, settings, log, std::string());
};

::mlperf::TestScenario native(Scenario scenario) {
  switch (scenario) {
    case Scenario::kSingleStream:
      return ::mlperf::TestScenario::SingleStream;
    case Scenario::kMultiStream:
      return ::mlperf::TestScenario::MultiStream;
    case Scenario::kServer:
      return ::mlperf::TestScenario::Server;
    case Scenario::kOffline:
      break;
  }
  return ::mlperf::TestScenario::Offline;
}

::mlperf::TestMode native(Mode mode) {
  switch (mode) {
    case Mode::kSubmissionRun:
      return ::mlperf::TestMode::SubmissionRun;
    case Mode::kAccuracyOnly:
      return ::mlperf::TestMode::AccuracyOnly;
    case Mode::kPerformanceOnly:
      break;
  }
  return ::mlperf::TestMode::PerformanceOnly;
}

// A template, so that settings which this LoadGen does not have are discarded rather than errors.
template <class Settings>
Settings native(const TestSettings& settings) {
  Settings out;
  out.scenario = native(settings.scenario);
  out.mode = native(settings.mode);
#define SETTING(type, name, value) \
  if constexpr (requires { out.name; }) out.name = static_cast<decltype(out.name)>(settings.name);
#include "mlperf/settings.inc"
#undef SETTING
  // What a LoadGen that knows TEST05 does by itself.
  if constexpr (!requires { out.test05; }) {
    if (settings.test05) {
      out.qsl_rng_seed = settings.test05_qsl_rng_seed;
      out.sample_index_rng_seed = settings.test05_sample_index_rng_seed;
      out.schedule_rng_seed = settings.test05_schedule_rng_seed;
    }
  }
  return out;
}

::mlperf::LogSettings native(const LogSettings& log) {
  ::mlperf::LogSettings out;
  out.log_output.outdir = fs::absolute(log.folder).string();
  out.log_output.copy_summary_to_stdout = log.copy_summary_to_stdout;
  out.enable_trace = false;
  return out;
}

template <class Settings>
void start_test(fovea::mlperf::SystemUnderTest& sut, fovea::mlperf::SampleLibrary& library, const Settings& settings,
                const LogSettings& log) {
  std::optional<WorkingFolder> folder;
  NativeSut native_sut(sut);
  NativeLibrary native_library(library, folder);
  const ::mlperf::LogSettings native_log = native(log);
  if constexpr (kTakesAuditConfig<Settings>) {
    ::mlperf::StartTest(&native_sut, &native_library, settings, native_log,
                        log.audit_config.empty() ? std::string("/nonexistent/audit.config") : log.audit_config);
  } else {  // without an audit the logs' folder: there is no such file in it
    folder.emplace(log.audit_config.empty() ? fs::path(native_log.log_output.outdir)
                                            : fs::absolute(log.audit_config).parent_path());
    ::mlperf::StartTest(&native_sut, &native_library, settings, native_log);
  }
}

// LoadGen called itself ".5a1" for many rounds: its commit says more.
std::string loadgen_version() {
  const std::string& version = ::mlperf::LoadgenVersion();
  return version.starts_with('.') ? "0" + version + " @ " + ::mlperf::LoadgenGitRevision() : version;
}

class NativeLoadgen : public Loadgen {
 public:
  const std::string& version() const override { return version_; }
  const std::string& origin() const override { return origin_; }
  bool has_fixed_interval() const override { return kFixedInterval<::mlperf::TestSettings>; }

  std::string run(fovea::mlperf::SystemUnderTest& sut, fovea::mlperf::SampleLibrary& library,
                  const TestSettings& settings, const LogSettings& log) override {
    NativeSink sink;
    sut.begin(sink);
    std::string refusal;
    try {
      start_test(sut, library, native<::mlperf::TestSettings>(settings), log);
    } catch (const std::exception& error) {
      refusal = error.what();
    }
    sut.end();
    return refusal;
  }

 private:
  std::string version_ = loadgen_version();
  std::string origin_ = FOVEA_LOADGEN_SOURCE;
};

}  // namespace
}  // namespace fovea::mlperf

extern "C" __attribute__((visibility("default"))) fovea::mlperf::Loadgen* fovea_open_loadgen_v1(const char*,
                                                                                                std::string& problem) {
  try {
    return new fovea::mlperf::NativeLoadgen;  // NOLINT: the caller owns it
  } catch (const std::exception& error) {
    problem = error.what();
    return nullptr;
  }
}
