// The boundary to MLCommons' LoadGen: a system under test, a sample library, settings, and a run. Nothing else of Fovea
// knows LoadGen, and its types stay behind the module that is loaded here (loadgen_module/).
//
// The module is a shared object of its own, loaded when a LoadGen is opened: it links libpython, which the program must
// not need for anything else.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "mlperf/scenario.h"

namespace fovea::mlperf {

struct TestSettings {
  Scenario scenario = Scenario::kSingleStream;
  Mode mode = Mode::kPerformanceOnly;
#define SETTING(type, name, value) type name = value;
#include "mlperf/settings.inc"
#undef SETTING
};

struct LogSettings {
  std::string folder;        // of mlperf_log_*; must exist
  std::string audit_config;  // path of an audit.config; one that does not exist changes nothing
  bool copy_summary_to_stdout = false;
};

struct QuerySample {
  std::uintptr_t id = 0;  // LoadGen's, opaque
  std::size_t index = 0;  // in the sample library
};

struct QueryResponse {
  std::uintptr_t id = 0;
  const void* data = nullptr;  // read before complete() returns
  std::size_t size = 0;        // bytes
};

// Where a system under test hands its responses in. Thread-safe.
class CompletionSink {
 public:
  virtual ~CompletionSink() = default;
  virtual void complete(std::span<const QueryResponse> responses) = 0;
};

// What LoadGen measures. Called from LoadGen's thread only; must not throw: what goes wrong is told to a RunHealth, and
// every sample must be completed nevertheless (by a response of no bytes), or LoadGen waits for ever.
class SystemUnderTest {
 public:
  virtual ~SystemUnderTest() = default;
  virtual const std::string& name() const = 0;
  // Before the first query; `sink` is valid until end().
  virtual void begin(CompletionSink& sink) = 0;
  // Takes samples in. May complete them before it returns (nothing else is issued meanwhile) or later from any thread.
  virtual void issue(std::span<const QuerySample> samples) = 0;
  // No query follows for now: partial batches are to be computed.
  virtual void flush() = 0;
  virtual void end() = 0;
};

// The samples by index. Called from LoadGen's thread; must not throw.
class SampleLibrary {
 public:
  virtual ~SampleLibrary() = default;
  virtual const std::string& name() const = 0;
  virtual std::size_t total_count() const = 0;
  virtual std::size_t performance_count() const = 0;
  virtual void load(std::span<const std::size_t> indices) = 0;  // into memory; outside measured time
  virtual void unload(std::span<const std::size_t> indices) = 0;
};

// The first thing that went wrong in a run, told by any thread. Thread-safe.
class RunHealth {
 public:
  void fail(Error error);
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  std::optional<Error> error() const;

 private:
  mutable std::mutex mutex_;
  std::atomic<bool> failed_{false};
  std::optional<Error> error_;
};

// A LoadGen that is ready to run tests, one after another, on the thread that opened it. One a process at a time.
class Loadgen {
 public:
  virtual ~Loadgen() = default;
  virtual const std::string& version() const = 0;  // "6.0.17"
  virtual const std::string& origin() const = 0;   // the file that it came from
  // Whether its MultiStream can issue queries at a fixed interval, as the rules up to v1.0 ask for.
  virtual bool has_fixed_interval() const = 0;
  // Returns when the test is over and its logs are written: nothing, or what LoadGen refused.
  virtual std::string run(SystemUnderTest& sut, SampleLibrary& library, const TestSettings& settings,
                          const LogSettings& log) = 0;
};

// `folder`: a Python virtual environment with mlcommons-loadgen, or a folder that holds its module; empty:
// FOVEA_LOADGEN, venv-loadgen beside the program's folder, build/venv-loadgen, then the system's own Python packages.
// kUnsupported with the way to install it where there is none.
Result<std::unique_ptr<Loadgen>> open_loadgen(const std::filesystem::path& folder);

struct RunGuard {
  const std::atomic<bool>* stop = nullptr;  // the user's Ctrl-C
  double patience_s = 5;
  // Called from another thread where LoadGen does not come back in `patience_s` after a failure (it has no way to stop
  // a test): must report the error and end the process. Everything that the run uses is still alive then.
  std::function<void(const Error&)> give_up;
};

// Runs one test. The health's error, if it has one: the logs then mean nothing, whatever they say.
Status run_test(Loadgen& loadgen, SystemUnderTest& sut, SampleLibrary& library, const TestSettings& settings,
                const LogSettings& log, RunHealth& health, const RunGuard& guard);

}  // namespace fovea::mlperf
