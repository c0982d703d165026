#include "quant/histogram.h"

#include <algorithm>
#include <cmath>

#include "quant/calibrator_state.h"
#include "quant/extremes.h"

namespace fovea::quant {
namespace {

void merge_pairs(std::vector<std::int64_t>& bins) {
  for (std::size_t i = 0; i < bins.size() / 2; ++i) bins[i] = bins[2 * i] + bins[2 * i + 1];
  std::fill(bins.begin() + static_cast<std::ptrdiff_t>(bins.size() / 2), bins.end(), 0);
}

std::vector<std::int64_t> without_trailing_zeros(std::vector<std::int64_t> counts) {
  while (!counts.empty() && counts.back() == 0) counts.pop_back();
  return counts;
}

}  // namespace

void Histogram::grow(double magnitude) {
  if (limit_ == 0) {
    limit_ = magnitude;
    // Zeros that came before keep their bin.
    return;
  }
  while (limit_ < magnitude) {
    limit_ *= 2;
    merge_pairs(positive_);
    merge_pairs(negative_);
  }
}

void Histogram::add(std::span<const float> values) {
  if (values.empty()) return;
  const Range range = extremes(values);
  seen_ = total_ == 0 ? range : join(seen_, range);
  total_ += std::ssize(values);
  grow(std::max(std::abs(static_cast<double>(range.low)), std::abs(static_cast<double>(range.high))));
  if (limit_ == 0) {
    positive_[0] += std::ssize(values);
    return;
  }
  const double per_unit = static_cast<double>(kBins) / limit_;
  for (float v : values) {
    const auto bin = std::min(static_cast<std::size_t>(std::abs(static_cast<double>(v)) * per_unit), kBins - 1);
    ++(v < 0 ? negative_ : positive_)[bin];
  }
}

std::vector<std::int64_t> Histogram::magnitudes(std::size_t bins) const {
  FOVEA_CHECK(bins > 0 && kBins % bins == 0);
  std::vector<std::int64_t> out(bins);
  for (std::size_t i = 0; i < kBins; ++i) out[i / (kBins / bins)] += positive_[i] + negative_[i];
  return out;
}

nlohmann::json Histogram::state() const {
  return {{"limit", limit_},
          {"total", total_},
          {"low", seen_.low},
          {"high", seen_.high},
          {"positive", without_trailing_zeros(positive_)},
          {"negative", without_trailing_zeros(negative_)}};
}

Status Histogram::restore(const nlohmann::json& state) {
  FOVEA_TRY(limit_, read_double(state, "limit"));
  FOVEA_TRY(total_, read_count(state, "total"));
  FOVEA_TRY(seen_.low, read_float(state, "low"));
  FOVEA_TRY(seen_.high, read_float(state, "high"));
  FOVEA_TRY(positive_, read_counts(state, "positive", kBins));
  FOVEA_TRY(negative_, read_counts(state, "negative", kBins));
  positive_.resize(kBins);
  negative_.resize(kBins);
  if (limit_ < 0) return bad_input("key limit: expected no negative number, found {}", limit_);
  return {};
}

}  // namespace fovea::quant
