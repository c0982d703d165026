#include "quant/weights.h"

#include <algorithm>
#include <cmath>

#include "quant/extremes.h"

namespace fovea::quant {
namespace {

// Weights as small as this are zero: their scale, times an activation's, would be no normal float.
constexpr double kSmallestWeight = 1e-18;
constexpr int kClipSteps = 50;
constexpr double kSmallestClip = 0.5;  // of the largest weight

// The weights of one filter, wherever they lie.
struct Filter {
  const float* first;
  std::int64_t count, stride;
  double at(std::int64_t i) const { return static_cast<double>(first[i * stride]); }
};

Filter filter_of(const Tensor& weights, int filter_axis, std::int64_t filter) {
  const float* data = weights.as<float>().data();
  const std::int64_t filters = weights.dim(filter_axis), count = weights.count() / filters;
  return filter_axis == 0 ? Filter{data + filter * count, count, 1} : Filter{data + filter, count, filters};
}

double stored(double weight, double scale, int low) {
  return std::clamp(std::nearbyint(weight / scale), 1.0 * low, 127.0);
}

double squared_error(std::span<const Filter> filters, double scale, int low) {
  double error = 0;
  for (const Filter& f : filters)
    for (std::int64_t i = 0; i < f.count; ++i) {
      const double difference = f.at(i) - stored(f.at(i), scale, low) * scale;
      error += difference * difference;
    }
  return error;
}

// The scale of filters that share one; 0 if they are all zero.
double choose_scale(std::span<const Filter> filters, const WeightOptions& options) {
  const int low = options.full_range ? -128 : -127;
  double positive = 0, negative = 0;
  for (const Filter& f : filters)
    for (std::int64_t i = 0; i < f.count; ++i) {
      positive = std::max(positive, f.at(i));
      negative = std::max(negative, -f.at(i));
    }
  if (std::max(positive, negative) < kSmallestWeight) return 0;
  const double whole = std::max(positive / 127, negative / -low);
  if (!options.clip) return whole;
  double best = whole, least = squared_error(filters, whole, low);
  for (int step = 1; step <= kClipSteps; ++step) {
    const double tried = whole * (1 - (1 - kSmallestClip) * step / kClipSteps);
    if (const double error = squared_error(filters, tried, low); error < least) {
      least = error;
      best = tried;
    }
  }
  return best;
}

double median(std::vector<double> values) {
  if (values.empty()) return 1;
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Status check_finite(const Tensor& weights, int filter_axis) {
  const auto at = first_non_finite(weights.as<float>());
  if (!at) return {};
  const std::int64_t inner = filter_axis == 0 ? weights.count() / weights.dim(0) : 1;
  return bad_input("a weight of filter {} is {}", static_cast<std::int64_t>(*at) / inner % weights.dim(filter_axis),
                   weights.as<float>()[*at]);
}

}  // namespace

Result<QuantisedFilters> quantise_weights(const Tensor& weights, int filter_axis, const WeightOptions& options,
                                          std::span<const double> least_scale) {
  FOVEA_CHECK(filter_axis == 0 || (filter_axis == 1 && weights.rank() == 2));
  FOVEA_RETURN_IF_ERROR(check_finite(weights, filter_axis));
  const std::int64_t filters = weights.dim(filter_axis);
  FOVEA_CHECK(least_scale.empty() || std::ssize(least_scale) == filters);
  std::vector<Filter> all;
  for (std::int64_t o = 0; o < filters; ++o) all.push_back(filter_of(weights, filter_axis, o));
  std::vector<double> scales, known;
  QuantisedFilters out;
  for (std::size_t o = 0; o < all.size(); ++o) {
    scales.push_back(choose_scale({&all[o], 1}, options));
    if (scales[o] > 0)
      known.push_back(scales[o]);
    else
      out.empty.push_back(static_cast<std::int64_t>(o));
  }
  if (!options.per_channel) {
    const double shared = choose_scale(all, options);
    scales.assign(1, shared > 0 ? shared : 1);
    if (!least_scale.empty())
      scales[0] = std::max(scales[0], *std::max_element(least_scale.begin(), least_scale.end()));
  } else {
    const double stand_in = median(known);
    for (std::size_t o = 0; o < scales.size(); ++o) {
      if (scales[o] == 0) scales[o] = stand_in;
      if (!least_scale.empty()) scales[o] = std::max(scales[o], least_scale[o]);
    }
  }
  out.scale.assign(scales.begin(), scales.end());
  out.s8 = Tensor(DType::kS8, weights.dims());
  std::int8_t* s8 = out.s8.as<std::int8_t>().data();
  const int low = options.full_range ? -128 : -127;
  for (std::size_t o = 0; o < all.size(); ++o) {
    const double scale = out.scale[options.per_channel ? o : 0];
    const std::int64_t begin = all[o].first - weights.as<float>().data();
    for (std::int64_t i = 0; i < all[o].count; ++i) {
      const double w = all[o].at(i), q = stored(w, scale, low);
      s8[begin + i * all[o].stride] = static_cast<std::int8_t>(q);
      out.error_power += (w - q * scale) * (w - q * scale);
      out.signal_power += w * w;
    }
  }
  return out;
}

}  // namespace fovea::quant
