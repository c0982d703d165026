#include "quant/calibrate.h"

#include <fmt/ranges.h>

#include "base/clock.h"
#include "quant/calibrator_state.h"
#include "quant/state_file.h"

namespace fovea::quant {
namespace {

constexpr int kStateVersion = 1;
constexpr std::int64_t kSaveInterval_ns = 10'000'000'000;

struct Watched {
  ValueId value = kNoValue;
  std::string name;
  std::unique_ptr<Calibrator> calibrator;
};

std::vector<Watched> watch(const Graph& graph, const Placement& placement, const CalibratorOptions& options) {
  std::vector<Watched> out;
  for (const Placement::Tensor& t : placement.tensors)
    if (t.observed) out.push_back({t.value, graph.value(t.value).name, make_calibrator(options)});
  return out;
}

// A calibration in progress and its state file.
class Run {
 public:
  Run(const Graph& graph, const Placement& placement, const CalibrationOptions& options)
      : options_(options), watched_(watch(graph, placement, options.calibrator)), last_save_ns_(now_ns()) {}

  void resume() {
    if (options_.state_file.empty()) return;
    auto state = read_state(options_.state_file);
    if (state.ok() && !*state) return;
    const Status taken = state.ok() ? take(**state) : Status(state.error());
    if (taken.ok()) {
      resumed_at_ = images_;
      return;
    }
    notice_ = fmt::format("{}: {}; calibrating anew", options_.state_file.string(), taken.error().text());
    position_ = images_ = 0;
    for (Watched& w : watched_) w.calibrator = make_calibrator(options_.calibrator);
  }

  Status observe(SampleSource& samples, TappedNetwork& network) {
    FOVEA_RETURN_IF_ERROR(samples.restart(position_));
    for (;;) {
      if (options_.stop && options_.stop->load()) return interrupted();
      FOVEA_TRY(const Sample* sample, samples.next());
      if (!sample) return {};
      FOVEA_TRY(const std::vector<TensorView> tensors, network.run(*sample));
      for (std::size_t i = 0; i < watched_.size(); ++i) {
        const auto count = element_count({tensors[i].dims.begin(), tensors[i].dims.end()});
        watched_[i].calibrator->observe({tensors[i].as<float>(), static_cast<std::size_t>(count)});
      }
      ++images_;
      position_ = samples.position();
      if (options_.progress) options_.progress(position_, samples.size());
      if (now_ns() - last_save_ns_ > kSaveInterval_ns) FOVEA_RETURN_IF_ERROR(save());
    }
  }

  std::vector<ValueId> taps() const {
    std::vector<ValueId> out;
    for (const Watched& w : watched_) out.push_back(w.value);
    return out;
  }

  Status save() {
    if (options_.state_file.empty() || images_ == 0) return {};
    nlohmann::json tensors = nlohmann::json::object();
    for (const Watched& w : watched_) tensors[w.name] = w.calibrator->state();
    FOVEA_RETURN_IF_ERROR(write_state(options_.state_file, {{"version", kStateVersion},
                                                            {"identity", options_.identity},
                                                            {"method", describe(options_.calibrator)},
                                                            {"position", position_},
                                                            {"images", images_},
                                                            {"tensors", std::move(tensors)}}));
    last_save_ns_ = now_ns();
    return {};
  }

  Calibration result() const {
    Calibration out;
    for (const Watched& w : watched_) out.ranges[w.name] = w.calibrator->range();
    out.images = images_;
    out.resumed_at = resumed_at_;
    out.notice = notice_;
    return out;
  }

 private:
  Status take(const nlohmann::json& state) {
    FOVEA_TRY(const std::int64_t version, read_count(state, "version"));
    FOVEA_TRY(const std::string identity, read_text(state, "identity"));
    FOVEA_TRY(const std::string method, read_text(state, "method"));
    if (version != kStateVersion || identity != options_.identity || method != describe(options_.calibrator))
      return bad_input("it is the state of a calibration with another model, other images or another method ({})",
                       method);
    FOVEA_TRY(position_, read_count(state, "position"));
    FOVEA_TRY(images_, read_count(state, "images"));
    const auto tensors = state.find("tensors");
    for (Watched& w : watched_) {
      if (tensors == state.end() || !tensors->is_object() || !tensors->contains(w.name))
        return bad_input("it knows nothing of tensor {}", w.name);
      auto status = w.calibrator->restore((*tensors)[w.name]);
      if (!status.ok()) return std::move(status).error().within("tensor " + w.name);
    }
    return {};
  }

  Status interrupted() {
    FOVEA_RETURN_IF_ERROR(save());
    const std::string kept = options_.state_file.empty() || images_ == 0
                                 ? ""
                                 : "; the same command goes on from " + options_.state_file.string();
    return Error(ErrorCode::kInterrupted, fmt::format("interrupted after {} images{}", images_, kept));
  }

  const CalibrationOptions& options_;
  std::vector<Watched> watched_;
  std::int64_t position_ = 0, images_ = 0, resumed_at_ = 0;
  std::int64_t last_save_ns_;
  std::string notice_;
};

}  // namespace

Result<Calibration> calibrate(const Graph& graph, const Placement& placement, SampleSource& samples,
                              const CalibrationOptions& options) {
  FOVEA_RETURN_IF_ERROR(check(options.calibrator));
  Run run(graph, placement, options);
  run.resume();
  FOVEA_TRY(TappedNetwork network, TappedNetwork::make(graph, run.taps(), options.engine));
  FOVEA_RETURN_IF_ERROR(run.observe(samples, network));
  FOVEA_RETURN_IF_ERROR(run.save());  // what comes after may take longer, and be interrupted as well
  Calibration result = run.result();
  if (result.images == 0) return bad_input("no image to calibrate with could be read");
  return result;
}

Result<std::vector<Range>> group_ranges(const Graph& graph, const Placement& placement,
                                        const std::map<std::string, Range>& ranges) {
  std::vector<std::optional<Range>> found(static_cast<std::size_t>(placement.groups));
  std::vector<std::string> missing;
  for (const Placement::Tensor& t : placement.tensors) {
    if (!t.observed) continue;
    const std::string& name = graph.value(t.value).name;
    auto& group = found[static_cast<std::size_t>(t.group)];
    if (const auto range = ranges.find(name); range == ranges.end())
      missing.push_back(name);
    else
      group = group ? join(*group, range->second) : range->second;
  }
  if (!missing.empty()) return bad_input("no range for {} tensor(s): {}", missing.size(), fmt::join(missing, ", "));
  std::vector<Range> out;
  for (const auto& range : found) out.push_back(range.value_or(Range{}));
  return out;
}

std::map<std::string, Range> tensor_ranges(const Graph& graph, const Placement& placement,
                                           const std::vector<Range>& ranges_of_groups) {
  std::map<std::string, Range> out;
  for (const Placement::Tensor& t : placement.tensors)
    out[graph.value(t.value).name] = ranges_of_groups[static_cast<std::size_t>(t.group)];
  return out;
}

}  // namespace fovea::quant
