// A LoadGen built from MLCommons' sources (-DFOVEA_LOADGEN_SOURCE=<its loadgen folder>), behind the same boundary.
#include <exception>
#include <vector>

#include "loadgen.h"
#include "mlperf/loadgen_module/module.h"
#include "query_sample_library.h"
#include "system_under_test.h"
#include "test_settings.h"
#include "version.h"

namespace fovea::mlperf {
namespace {

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

class NativeSut : public ::mlperf::SystemUnderTest {
 public:
  explicit NativeSut(fovea::mlperf::SystemUnderTest& sut) : sut_(sut) {}
  const std::string& Name() override { return sut_.name(); }
  void IssueQuery(const std::vector<::mlperf::QuerySample>& samples) override {
    std::vector<QuerySample> out(samples.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = {samples[i].id, samples[i].index};
    sut_.issue(out);
  }
  void FlushQueries() override { sut_.flush(); }

 private:
  fovea::mlperf::SystemUnderTest& sut_;
};

class NativeLibrary : public ::mlperf::QuerySampleLibrary {
 public:
  explicit NativeLibrary(fovea::mlperf::SampleLibrary& library) : library_(library) {}
  const std::string& Name() override { return library_.name(); }
  std::size_t TotalSampleCount() override { return library_.total_count(); }
  std::size_t PerformanceSampleCount() override { return library_.performance_count(); }
  void LoadSamplesToRam(const std::vector<std::size_t>& indices) override { library_.load(indices); }
  void UnloadSamplesFromRam(const std::vector<std::size_t>& indices) override { library_.unload(indices); }

 private:
  fovea::mlperf::SampleLibrary& library_;
};

template <class Settings>
constexpr bool kFixedInterval = requires(Settings s) {
  s.multi_stream_target_qps;
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
  if constexpr (requires { out.name; }) out.name = settings.name;
#include "mlperf/settings.inc"
#undef SETTING
  return out;
}

class NativeLoadgen : public Loadgen {
 public:
  const std::string& version() const override { return version_; }
  const std::string& origin() const override { return origin_; }
  bool has_fixed_interval() const override { return kFixedInterval<::mlperf::TestSettings>; }

  std::string run(fovea::mlperf::SystemUnderTest& sut, fovea::mlperf::SampleLibrary& library,
                  const TestSettings& settings, const LogSettings& log) override {
    NativeSink sink;
    NativeSut native_sut(sut);
    NativeLibrary native_library(library);
    ::mlperf::LogSettings native_log;
    native_log.log_output.outdir = log.folder;
    native_log.log_output.copy_summary_to_stdout = log.copy_summary_to_stdout;
    native_log.enable_trace = false;
    sut.begin(sink);
    ::mlperf::StartTest(&native_sut, &native_library, native<::mlperf::TestSettings>(settings), native_log,
                        log.audit_config.empty() ? std::string("/nonexistent/audit.config") : log.audit_config);
    sut.end();
    return "";
  }

 private:
  std::string version_ = ::mlperf::LoadgenVersion();
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
