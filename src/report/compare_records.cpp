#include "report/compare_records.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "base/rng.h"

namespace fovea {
namespace {

constexpr std::size_t kFewestSamples = 20;
constexpr double kResampledElements = 4e7;  // bounds the time at about a second

struct Interval {
  double ratio = 0, low = 0, high = 0;
};

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double images_at_once(const RunRecord& r) {
  return static_cast<double>(std::max<std::int64_t>(1, r.batch)) *
         static_cast<double>(std::max<std::size_t>(1, r.instances.size()));
}

double image_ms(const RunRecord& r) { return r.latency_ms.p50 / images_at_once(r); }

std::vector<double> image_samples(const RunRecord& r) {
  std::vector<double> all;
  for (const RunInstance& i : r.instances) all.insert(all.end(), i.samples_ms.begin(), i.samples_ms.end());
  for (double& v : all) v /= images_at_once(r);
  return all;
}

class BlockResampler {
 public:
  explicit BlockResampler(const std::vector<double>& from)
      : from_(from),
        block_(std::max<std::size_t>(
            1, static_cast<std::size_t>(std::lround(std::cbrt(static_cast<double>(from.size())))))) {}
  double median(Rng& rng) {
    drawn_.clear();
    while (drawn_.size() < from_.size()) {
      const std::size_t begin = rng.below(from_.size() - block_ + 1);
      for (std::size_t i = 0; i < block_ && drawn_.size() < from_.size(); ++i) drawn_.push_back(from_[begin + i]);
    }
    return median_of(drawn_);
  }

 private:
  const std::vector<double>& from_;
  std::size_t block_;
  std::vector<double> drawn_;
};

Interval by_samples(const std::vector<double>& before, const std::vector<double>& after, double ratio,
                    std::uint64_t seed) {
  const auto count = static_cast<std::size_t>(
      std::clamp(kResampledElements / static_cast<double>(before.size() + after.size()), 400.0, 2000.0));
  Rng rng(seed);
  BlockResampler a(before), b(after);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < count; ++i) {
    const double numerator = a.median(rng);
    ratios.push_back(numerator / b.median(rng));
  }
  std::sort(ratios.begin(), ratios.end());
  const auto at = [&](double q) { return ratios[static_cast<std::size_t>(q * static_cast<double>(count - 1))]; };
  return {ratio, at(0.025), at(0.975)};
}

struct Moments {
  double mean = 0, variance_of_mean = 0;
  double freedom = 0;
};

Moments log_moments(std::span<const RunRecord> runs) {
  Moments m;
  const auto n = static_cast<double>(runs.size());
  for (const RunRecord& r : runs) m.mean += std::log(image_ms(r)) / n;
  for (const RunRecord& r : runs) m.variance_of_mean += std::pow(std::log(image_ms(r)) - m.mean, 2) / (n - 1) / n;
  m.freedom = n - 1;
  return m;
}

Interval by_runs(std::span<const RunRecord> before, std::span<const RunRecord> after) {
  const Moments a = log_moments(before), b = log_moments(after);
  const double variance = a.variance_of_mean + b.variance_of_mean, difference = a.mean - b.mean;
  const double ratio = std::exp(difference);
  if (!(variance > 0)) return {ratio, ratio, ratio};
  // Welch and Satterthwaite's degrees of freedom.
  const double freedom =
      variance * variance /
      (a.variance_of_mean * a.variance_of_mean / a.freedom + b.variance_of_mean * b.variance_of_mean / b.freedom);
  const double half =
      boost::math::quantile(boost::math::students_t_distribution<double>(freedom), 0.975) * std::sqrt(variance);
  return {ratio, std::exp(difference - half), std::exp(difference + half)};
}

std::string machine_value(const RunRecord& r, const char* key) {
  const auto at = r.machine.find(key);
  return at == r.machine.end() ? "" : at->is_string() ? at->get<std::string>() : at->dump();
}

std::vector<RecordDifference> differences_of(const RunRecord& a, const RunRecord& b) {
  std::vector<RecordDifference> found;
  const auto check = [&](std::string what, std::string x, std::string y, bool refuses) {
    if (x != y) found.push_back({std::move(what), std::move(x), std::move(y), refuses});
  };
  check("model", a.model.name, b.model.name, true);
  check("model SHA-256", a.model.sha256, b.model.sha256, true);
  check("precision", a.model.precision, b.model.precision, true);
  for (const char* key : {"cpu", "isa", "usable_threads"})
    check(fmt::format("machine: {}", key), machine_value(a, key), machine_value(b, key), true);
  check("batch", std::to_string(a.batch), std::to_string(b.batch), true);
  check("instances", std::to_string(a.instances.size()), std::to_string(b.instances.size()), true);
  check("threads of an instance", std::to_string(a.threads_per_instance), std::to_string(b.threads_per_instance), true);
  const auto value = [](const RunRecord& r, const std::string& key) {
    const auto at = std::find_if(r.settings.begin(), r.settings.end(), [&](const auto& s) { return s.first == key; });
    return at == r.settings.end() ? std::string("not set") : at->second;
  };
  for (const auto& [key, setting] : a.settings) check("setting " + key, setting, value(b, key), false);
  for (const auto& [key, setting] : b.settings)
    if (value(a, key) == "not set") check("setting " + key, "not set", setting, false);
  return found;
}

Status check_sets(std::span<const RunRecord> before, std::span<const RunRecord> after, bool force,
                  std::vector<RecordDifference>& differences) {
  const RunRecord& first = before.front();
  std::vector<const RunRecord*> all;
  for (const RunRecord& r : before) all.push_back(&r);
  for (const RunRecord& r : after) all.push_back(&r);
  for (const RunRecord* r : all) {
    if (r->verdict.state == RunState::kInvalid && !force)
      return make_error(ErrorCode::kUnstable, "{} is invalid ({}); --force compares it all the same", r->started_utc,
                        fmt::join(r->verdict.reasons, "; "));
    if (!(r->latency_ms.count > 0 && r->latency_ms.p50 > 0))
      return bad_input("the {} record of {} ({}) has no latencies to compare", run_kind_name(r->kind), r->model.name,
                       r->started_utc);
    for (RecordDifference& d : differences_of(first, *r)) {
      const bool known =
          std::any_of(differences.begin(), differences.end(), [&](const auto& k) { return k.what == d.what; });
      if (!known) differences.push_back(std::move(d));
    }
  }
  std::string refused;
  for (const RecordDifference& d : differences)
    if (d.refuses) refused += fmt::format("{}{} ({}; {})", refused.empty() ? "" : ", ", d.what, d.before, d.after);
  if (!refused.empty() && !force)
    return bad_input("the runs differ in {}; --force compares them all the same", refused);
  return {};
}

SpeedChange judge(const Interval& i, double min_change_percent) {
  const double more = 1 + min_change_percent / 100;
  if (i.low > more) return SpeedChange::kFaster;
  if (i.high < 1 / more) return SpeedChange::kSlower;
  return i.low >= 1 / more && i.high <= more ? SpeedChange::kSame : SpeedChange::kUndecided;
}

double mean_image_ms(std::span<const RunRecord> runs) {
  return std::exp(runs.size() > 1 ? log_moments(runs).mean : std::log(image_ms(runs[0])));
}

void compare_accuracy(const RunRecord& a, const RunRecord& b, std::vector<std::string>& notes) {
  if (a.accuracy && b.accuracy)
    notes.push_back(fmt::format("top-1 {:.2f} % before, {:.2f} % after ({:+.2f} points)", a.accuracy->top1,
                                b.accuracy->top1, b.accuracy->top1 - a.accuracy->top1));
}

}  // namespace

const char* speed_change_name(SpeedChange change) {
  constexpr const char* kNames[] = {"faster", "same", "slower", "undecided"};
  return kNames[static_cast<std::size_t>(change)];
}

Result<RecordComparison> compare_records(std::span<const RunRecord> before, std::span<const RunRecord> after,
                                         const CompareRecordsOptions& options) {
  if (before.empty() || after.empty()) return bad_input("a comparison needs a run on each side");
  RecordComparison c;
  FOVEA_RETURN_IF_ERROR(check_sets(before, after, options.force, c.differences));
  c.before_ms = mean_image_ms(before);
  c.after_ms = mean_image_ms(after);
  Interval interval{c.before_ms / c.after_ms};
  const RunRecord &a = before.front(), &b = after.front();
  const std::vector<double> samples_a = image_samples(a), samples_b = image_samples(b);
  c.has_interval = true;
  if (before.size() > 1 && after.size() > 1) {
    c.method = "Welch's t interval of the logarithms of the runs' medians";
    interval = by_runs(before, after);
  } else if (before.size() != after.size()) {
    return bad_input("{} run(s) before and {} after: give one of each, or at least two of each", before.size(),
                     after.size());
  } else if (std::min(samples_a.size(), samples_b.size()) >= kFewestSamples) {
    c.method = "moving block bootstrap of the ratio of the medians of all samples";
    interval = by_samples(samples_a, samples_b, interval.ratio, options.seed);
  } else if (a.latency_ms.median_low && b.latency_ms.median_low && *a.latency_ms.median_low > 0 &&
             *b.latency_ms.median_low > 0) {
    c.method = "order-statistics intervals of both medians (the records hold no samples)";
    const double scale = images_at_once(b) / images_at_once(a);
    interval.low = scale * *a.latency_ms.median_low / *b.latency_ms.median_high;
    interval.high = scale * *a.latency_ms.median_high / *b.latency_ms.median_low;
  } else {
    c.method = "none: too few samples for an interval";
    c.has_interval = false;
  }
  c.ratio = interval.ratio, c.low = interval.low, c.high = interval.high;
  if (c.has_interval) c.change = judge(interval, options.min_change_percent);
  if (before.size() == 1)
    c.notes.push_back(
        "one run on each side: what changes from run to run is not seen; several of each (--before, --after) are "
        "surer");
  for (const auto& [runs, side] : {std::pair(before, "before"), std::pair(after, "after")})
    for (const RunRecord& r : runs)
      if (r.noise.state != NoiseState::kQuiet)
        c.notes.push_back(fmt::format("the run {} of {} was {}", side, r.started_utc,
                                      r.noise.state == NoiseState::kNoisy ? "noisy" : "not watched for noise"));
  compare_accuracy(a, b, c.notes);
  return c;
}

nlohmann::json to_json(const RecordComparison& c) {
  nlohmann::json differences = nlohmann::json::array();
  for (const RecordDifference& d : c.differences)
    differences.push_back({{"what", d.what}, {"before", d.before}, {"after", d.after}});
  nlohmann::json j = {{"change", speed_change_name(c.change)},
                      {"ratio", c.ratio},
                      {"before_ms", c.before_ms},
                      {"after_ms", c.after_ms},
                      {"method", c.method},
                      {"differences", std::move(differences)},
                      {"notes", c.notes}};
  j["ratio_ci95_low"] = c.has_interval ? nlohmann::json(c.low) : nlohmann::json();
  j["ratio_ci95_high"] = c.has_interval ? nlohmann::json(c.high) : nlohmann::json();
  return j;
}

}  // namespace fovea
