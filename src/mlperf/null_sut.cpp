#include "mlperf/null_sut.h"

#include <vector>

#include "base/clock.h"

namespace fovea::mlperf {
namespace {

class NullSut : public SystemUnderTest {
 public:
  const std::string& name() const override { return name_; }
  void begin(CompletionSink& sink) override {
    sink_ = &sink;
    first_ns_ = 0;
    queries_ = samples_ = in_sink_ns_ = 0;
  }
  void issue(std::span<const QuerySample> samples) override {
    const std::int64_t begin = now_ns();
    if (first_ns_ == 0) first_ns_ = begin;
    responses_.assign(samples.size(), {});
    for (std::size_t i = 0; i < samples.size(); ++i) responses_[i] = {samples[i].id, &answer_, sizeof answer_};
    sink_->complete(responses_);
    last_ns_ = now_ns();
    in_sink_ns_ += last_ns_ - begin;
    ++queries_;
    samples_ += static_cast<std::int64_t>(samples.size());
  }
  void flush() override {}
  void end() override {}

  std::int64_t queries() const { return queries_; }
  std::int64_t samples() const { return samples_; }
  double elapsed_us() const { return static_cast<double>(last_ns_ - first_ns_) * 1e-3; }
  double in_sink_us() const { return static_cast<double>(in_sink_ns_) * 1e-3; }

 private:
  std::string name_ = "fovea-null";
  CompletionSink* sink_ = nullptr;
  std::vector<QueryResponse> responses_;
  const std::int32_t answer_ = 0;
  std::int64_t first_ns_ = 0, last_ns_ = 0, in_sink_ns_ = 0, queries_ = 0, samples_ = 0;
};

class EmptyLibrary : public SampleLibrary {
 public:
  const std::string& name() const override { return name_; }
  std::size_t total_count() const override { return 1024; }
  std::size_t performance_count() const override { return 1024; }
  void load(std::span<const std::size_t>) override {}
  void unload(std::span<const std::size_t>) override {}

 private:
  std::string name_ = "nothing";
};

}  // namespace

Result<Overhead> measure_overhead(Loadgen& loadgen, const std::filesystem::path& folder, int milliseconds) {
  NullSut sut;
  EmptyLibrary library;
  RunHealth health;
  TestSettings settings;
  settings.min_duration_ms = static_cast<std::uint64_t>(milliseconds);
  settings.single_stream_expected_latency_ns = 5'000;
  const LogSettings log{folder.string(), "", false};
  FOVEA_RETURN_IF_ERROR(run_test(loadgen, sut, library, settings, log, health, {}));
  if (sut.queries() < 2) return make_error(ErrorCode::kInternal, "LoadGen issued {} queries", sut.queries());
  Overhead overhead;
  overhead.queries = sut.queries();
  overhead.us_per_query = sut.elapsed_us() / static_cast<double>(sut.queries());
  overhead.issue_us = sut.in_sink_us() / static_cast<double>(sut.queries());
  settings.scenario = Scenario::kOffline;
  settings.offline_expected_qps = 100'000;
  FOVEA_RETURN_IF_ERROR(run_test(loadgen, sut, library, settings, log, health, {}));
  overhead.offline_us_per_sample = sut.in_sink_us() / static_cast<double>(std::max<std::int64_t>(1, sut.samples()));
  return overhead;
}

}  // namespace fovea::mlperf
