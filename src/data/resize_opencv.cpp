// OpenCV's resize of 8-bit images: INTER_LINEAR in 11-bit fixed point, INTER_AREA in float
// (modules/imgproc/resize.cpp). The float sums are rounded after every operation, as OpenCV's portable build does: this
// file must not be compiled with fused multiply-add.
#include <algorithm>
#include <cmath>
#include <limits>

#include "data/resize_methods.h"

namespace fovea {
namespace {

constexpr int kCoefficientBits = 11;
constexpr float kCoefficientScale = 1 << kCoefficientBits;

struct Scale {
  double ratio;    // source pixels an output pixel
  double inverse;  // computed first, as OpenCV does: the rounding of `ratio` depends on it
};

Scale scale_of(int in_size, int out_size) {
  const double inverse = static_cast<double>(out_size) / in_size;
  return {1.0 / inverse, inverse};
}

bool is_whole(double ratio) { return std::fabs(ratio - std::rint(ratio)) < std::numeric_limits<double>::epsilon(); }

// Two-tap positions and 11-bit weights along one axis. `area` is the bilinear variant that INTER_AREA falls back to
// when it enlarges.
struct Axis {
  std::vector<int>& first;
  std::vector<std::int32_t>& weights;  // two for each output
};

void plan_axis(Axis axis, int in_size, int out_size, int begin, int count, bool area, bool clamp) {
  const Scale scale = scale_of(in_size, out_size);
  axis.first.resize(static_cast<std::size_t>(count));
  axis.weights.resize(static_cast<std::size_t>(count) * 2);
  for (int i = 0; i < count; ++i) {
    const int out = begin + i;
    int source;
    float fraction;
    if (area) {
      source = static_cast<int>(std::floor(out * scale.ratio));
      fraction = static_cast<float>((out + 1) - (source + 1) * scale.inverse);
      fraction = fraction <= 0 ? 0.0f : fraction - std::floor(fraction);
    } else {
      fraction = static_cast<float>((out + 0.5) * scale.ratio - 0.5);
      source = static_cast<int>(std::floor(fraction));
      fraction -= static_cast<float>(source);
    }
    // Columns outside the image take the border pixel alone; rows keep both weights on a repeated border row.
    if (clamp && source < 0) fraction = 0, source = 0;
    if (clamp && source >= in_size - 1) fraction = 0, source = in_size - 1;
    const auto at = static_cast<std::size_t>(i);
    axis.first[at] = source;
    axis.weights[2 * at] = static_cast<std::int32_t>(std::lrint((1.0f - fraction) * kCoefficientScale));
    axis.weights[2 * at + 1] = static_cast<std::int32_t>(std::lrint(fraction * kCoefficientScale));
  }
}

void stretch_row(const Axis& axis, const std::uint8_t* from, int in_width, int count, std::int32_t* to) {
  const std::int32_t* weights = axis.weights.data();
  for (int i = 0; i < count; ++i, to += kImageChannels, weights += 2) {
    const int source = axis.first[static_cast<std::size_t>(i)];
    const std::uint8_t* left = from + static_cast<std::size_t>(source) * kImageChannels;
    const std::uint8_t* right = source + 1 < in_width ? left + kImageChannels : left;
    for (int c = 0; c < kImageChannels; ++c) to[c] = left[c] * weights[0] + right[c] * weights[1];
  }
}

void resize_two_taps(const ResizeJob& job, bool area, std::uint8_t* to) {
  ResizeScratch& s = job.scratch;
  const Window& w = job.window;
  const Axis horizontal{s.first_x, s.fixed_x};
  plan_axis(horizontal, job.from.width, job.size.width, w.x, w.width, area, true);
  plan_axis({s.first_y, s.fixed_y}, job.from.height, job.size.height, w.y, w.height, area, false);
  const std::size_t elements = static_cast<std::size_t>(w.width) * kImageChannels;
  s.sums.resize(2 * elements);
  // The two source rows in use, stretched; most of them serve the next output row too.
  std::int32_t* rows[2] = {s.sums.data(), s.sums.data() + elements};
  int held[2] = {-1, -1};
  for (int y = 0; y < w.height; ++y, to += elements) {
    const auto i = static_cast<std::size_t>(y);
    for (int k = 0; k < 2; ++k) {
      const int source = std::clamp(s.first_y[i] + k, 0, job.from.height - 1);
      if (held[k] == source) continue;
      if (k == 0 && held[1] == source) {
        std::swap(rows[0], rows[1]);
        std::swap(held[0], held[1]);
        continue;
      }
      stretch_row(horizontal, job.from.row(source), job.from.width, w.width, rows[k]);
      held[k] = source;
    }
    const std::int32_t upper = s.fixed_y[2 * i], lower = s.fixed_y[2 * i + 1];
    const std::int32_t *a = rows[0], *b = rows[1];
    for (std::size_t e = 0; e < elements; ++e)
      to[e] = static_cast<std::uint8_t>((((upper * (a[e] >> 4)) >> 16) + ((lower * (b[e] >> 4)) >> 16) + 2) >> 2);
  }
}

std::uint8_t saturate(float value) { return static_cast<std::uint8_t>(std::clamp(std::lrint(value), 0l, 255l)); }

// Both ratios are whole: plain sums. 2x2 is rounded half up, the others by a float product.
void resize_whole_cells(const ResizeJob& job, int cell_width, int cell_height, std::uint8_t* to) {
  const Window& w = job.window;
  const bool halves = cell_width == 2 && cell_height == 2;
  const float scale = 1.0f / static_cast<float>(cell_width * cell_height);
  for (int y = 0; y < w.height; ++y) {
    for (int x = 0; x < w.width; ++x, to += kImageChannels) {
      int sums[kImageChannels] = {};
      for (int sy = 0; sy < cell_height; ++sy) {
        const std::uint8_t* pixel = job.from.row((w.y + y) * cell_height + sy) +
                                    static_cast<std::size_t>(w.x + x) * cell_width * kImageChannels;
        for (int sx = 0; sx < cell_width; ++sx, pixel += kImageChannels)
          for (int c = 0; c < kImageChannels; ++c) sums[c] += pixel[c];
      }
      for (int c = 0; c < kImageChannels; ++c)
        to[c] = halves ? static_cast<std::uint8_t>((sums[c] + 2) >> 2) : saturate(static_cast<float>(sums[c]) * scale);
    }
  }
}

// Per output: its first source, how many it has, and each one's share of the cell. Shares below 1e-3 pixels are
// dropped.
void plan_cells(std::vector<int>& first, std::vector<int>& taps, std::vector<float>& weights, int in_size, int out_size,
                int begin, int count) {
  constexpr double kLeastShare = 1e-3;
  const double ratio = scale_of(in_size, out_size).ratio;
  first.resize(static_cast<std::size_t>(count));
  taps.resize(static_cast<std::size_t>(count));
  weights.clear();
  for (int i = 0; i < count; ++i) {
    const double left = (begin + i) * ratio, right = left + ratio;
    const double width = std::min(ratio, in_size - left);
    const int last = std::min(static_cast<int>(std::floor(right)), in_size - 1);
    const int inner = std::min(static_cast<int>(std::ceil(left)), last);
    const std::size_t before = weights.size();
    const bool has_left = inner - left > kLeastShare;
    if (has_left) weights.push_back(static_cast<float>((inner - left) / width));
    for (int source = inner; source < last; ++source) weights.push_back(static_cast<float>(1.0 / width));
    if (right - last > kLeastShare)
      weights.push_back(static_cast<float>(std::min(std::min(right - last, 1.0), width) / width));
    first[static_cast<std::size_t>(i)] = has_left ? inner - 1 : inner;
    taps[static_cast<std::size_t>(i)] = static_cast<int>(weights.size() - before);
  }
}

void resize_cells(const ResizeJob& job, std::uint8_t* to) {
  ResizeScratch& s = job.scratch;
  const Window& w = job.window;
  plan_cells(s.first_x, s.taps_x, s.weights_x, job.from.width, job.size.width, w.x, w.width);
  plan_cells(s.first_y, s.taps_y, s.weights_y, job.from.height, job.size.height, w.y, w.height);
  const std::size_t elements = static_cast<std::size_t>(w.width) * kImageChannels;
  s.floats.resize(elements);
  const float* row_weight = s.weights_y.data();
  for (int y = 0; y < w.height; ++y, to += elements) {
    float* sums = s.floats.data();
    std::fill_n(sums, elements, 0.0f);
    for (int t = 0; t < s.taps_y[static_cast<std::size_t>(y)]; ++t, ++row_weight) {
      const std::uint8_t* row = job.from.row(s.first_y[static_cast<std::size_t>(y)] + t);
      const float* weight = s.weights_x.data();
      for (std::size_t x = 0; x < static_cast<std::size_t>(w.width); ++x) {
        const std::uint8_t* pixel = row + static_cast<std::size_t>(s.first_x[x]) * kImageChannels;
        float r = 0, g = 0, b = 0;
        for (int k = 0; k < s.taps_x[x]; ++k, ++weight, pixel += kImageChannels) {
          r += pixel[0] * *weight;
          g += pixel[1] * *weight;
          b += pixel[2] * *weight;
        }
        sums[3 * x] += r * *row_weight;
        sums[3 * x + 1] += g * *row_weight;
        sums[3 * x + 2] += b * *row_weight;
      }
    }
    for (std::size_t e = 0; e < elements; ++e) to[e] = saturate(sums[e]);
  }
}

}  // namespace

void resize_opencv_area(const ResizeJob& job, std::uint8_t* to) {
  const double ratio_x = scale_of(job.from.width, job.size.width).ratio;
  const double ratio_y = scale_of(job.from.height, job.size.height).ratio;
  if (ratio_x < 1 || ratio_y < 1)
    resize_two_taps(job, true, to);
  else if (is_whole(ratio_x) && is_whole(ratio_y))
    resize_whole_cells(job, static_cast<int>(std::rint(ratio_x)), static_cast<int>(std::rint(ratio_y)), to);
  else
    resize_cells(job, to);
}

void resize_opencv_linear(const ResizeJob& job, std::uint8_t* to) {
  const double ratio_x = scale_of(job.from.width, job.size.width).ratio;
  const double ratio_y = scale_of(job.from.height, job.size.height).ratio;
  // OpenCV takes the area method for an exact halving, where both mean the same but for the rounding.
  if (is_whole(ratio_x) && is_whole(ratio_y) && std::rint(ratio_x) == 2 && std::rint(ratio_y) == 2)
    resize_whole_cells(job, 2, 2, to);
  else
    resize_two_taps(job, false, to);
}

}  // namespace fovea
