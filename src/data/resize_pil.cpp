// Pillow's two-pass resampling of 8-bit channels (its Resample.c): per output column, then per output row, a filter
// whose support grows with the shrinking ratio, weights in 22-bit fixed point, bytes between the passes.
#include <algorithm>
#include <cmath>

#include "data/resize_methods.h"

namespace fovea {
namespace {

constexpr int kPrecisionBits = 32 - 8 - 2;  // 8 for the result, 2 because bicubic weights overshoot
constexpr std::int32_t kHalf = 1 << (kPrecisionBits - 1);

double triangle(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

// Keys' bicubic convolution with a = -0.5, in Pillow's order of operations.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// The sources and weights of outputs [begin, begin + count) along one axis; `stride` weights are kept for each.
struct Axis {
  std::vector<int>& first;
  std::vector<int>& taps;
  std::vector<std::int32_t>& weights;
  int stride = 0;

  const std::int32_t* weights_of(int output) const {
    return weights.data() + static_cast<std::size_t>(output) * static_cast<std::size_t>(stride);
  }
};

void plan_axis(Axis& axis, int in_size, int out_size, int begin, int count, bool bicubic,
               std::vector<double>& scratch) {
  const double scale = static_cast<double>(in_size) / out_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = (bicubic ? 2.0 : 1.0) * filter_scale;
  const double inverse = 1.0 / filter_scale;
  axis.stride = std::min(static_cast<int>(std::ceil(support)) * 2 + 1, in_size);
  axis.first.resize(static_cast<std::size_t>(count));
  axis.taps.resize(static_cast<std::size_t>(count));
  axis.weights.resize(static_cast<std::size_t>(count) * static_cast<std::size_t>(axis.stride));
  scratch.resize(static_cast<std::size_t>(axis.stride));
  for (int i = 0; i < count; ++i) {
    const double centre = (begin + i + 0.5) * scale;
    const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int taps = std::min(static_cast<int>(centre + support + 0.5), in_size) - first;
    double sum = 0.0;
    for (int t = 0; t < taps; ++t) {
      const double x = (t + first - centre + 0.5) * inverse;
      const double weight = bicubic ? cubic(x) : triangle(x);
      scratch[static_cast<std::size_t>(t)] = weight;
      sum += weight;
    }
    std::int32_t* to = axis.weights.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(axis.stride);
    for (int t = 0; t < taps; ++t) {
      double weight = scratch[static_cast<std::size_t>(t)];
      if (sum != 0.0) weight /= sum;
      to[t] = static_cast<std::int32_t>((weight < 0 ? -0.5 : 0.5) + weight * (1 << kPrecisionBits));
    }
    axis.first[static_cast<std::size_t>(i)] = first;
    axis.taps[static_cast<std::size_t>(i)] = taps;
  }
}

std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255)); }

// The window's columns of one source row.
void filter_row(const Axis& axis, const std::uint8_t* from, int count, std::uint8_t* to) {
  const std::int32_t* weights = axis.weights.data();
  for (int i = 0; i < count; ++i, to += kImageChannels, weights += axis.stride) {
    const std::uint8_t* pixel = from + static_cast<std::size_t>(axis.first[static_cast<std::size_t>(i)]) * 3;
    const int taps = axis.taps[static_cast<std::size_t>(i)];
    std::int32_t r = kHalf, g = kHalf, b = kHalf;
    for (int t = 0; t < taps; ++t, pixel += kImageChannels) {
      r += pixel[0] * weights[t];
      g += pixel[1] * weights[t];
      b += pixel[2] * weights[t];
    }
    to[0] = to_byte(r);
    to[1] = to_byte(g);
    to[2] = to_byte(b);
  }
}

// One output row of `bytes` bytes from `taps` rows that lie `row_step` bytes apart.
void mix_rows(const std::uint8_t* rows, std::size_t row_step, const std::int32_t* weights, int taps, std::size_t bytes,
              std::int32_t* sums, std::uint8_t* to) {
  std::fill_n(sums, bytes, kHalf);
  for (int t = 0; t < taps; ++t, rows += row_step) {
    const std::int32_t weight = weights[t];
    for (std::size_t i = 0; i < bytes; ++i) sums[i] += rows[i] * weight;
  }
  for (std::size_t i = 0; i < bytes; ++i) to[i] = to_byte(sums[i]);
}

// Columns, then rows: only the source rows that the window needs are filtered.
void columns_then_rows(const ResizeJob& job, const Axis& horizontal, const Axis& vertical, std::uint8_t* to) {
  ResizeScratch& s = job.scratch;
  const Window& w = job.window;
  const int top = vertical.first.front();
  const int bottom = vertical.first.back() + vertical.taps.back();
  const std::size_t bytes = static_cast<std::size_t>(w.width) * kImageChannels;
  const std::uint8_t* rows = job.from.row(top) + static_cast<std::size_t>(w.x) * kImageChannels;
  std::size_t row_step = job.from.row_bytes();
  if (job.from.width != job.size.width) {  // otherwise the filter is the identity
    s.rows.resize(bytes * static_cast<std::size_t>(bottom - top));
    for (int y = top; y < bottom; ++y)
      filter_row(horizontal, job.from.row(y), w.width, s.rows.data() + bytes * static_cast<std::size_t>(y - top));
    rows = s.rows.data();
    row_step = bytes;
  }
  s.sums.resize(bytes);
  for (int y = 0; y < w.height; ++y, to += bytes) {
    const auto i = static_cast<std::size_t>(y);
    const std::uint8_t* first = rows + row_step * static_cast<std::size_t>(vertical.first[i] - top);
    mix_rows(first, row_step, vertical.weights_of(y), vertical.taps[i], bytes, s.sums.data(), to);
  }
}

// Rows, then columns: only the source columns that the window needs are mixed.
void rows_then_columns(const ResizeJob& job, Axis& horizontal, const Axis& vertical, std::uint8_t* to) {
  ResizeScratch& s = job.scratch;
  const Window& w = job.window;
  const int left = horizontal.first.front();
  const int right = horizontal.first.back() + horizontal.taps.back();
  for (int& first : horizontal.first) first -= left;
  const std::size_t bytes = static_cast<std::size_t>(right - left) * kImageChannels;
  s.rows.resize(bytes);
  s.sums.resize(bytes);
  for (int y = 0; y < w.height; ++y, to += static_cast<std::size_t>(w.width) * kImageChannels) {
    const auto i = static_cast<std::size_t>(y);
    const std::uint8_t* first = job.from.row(vertical.first[i]) + static_cast<std::size_t>(left) * kImageChannels;
    mix_rows(first, job.from.row_bytes(), vertical.weights_of(y), vertical.taps[i], bytes, s.sums.data(),
             s.rows.data());
    filter_row(horizontal, s.rows.data(), w.width, to);
  }
}

}  // namespace

void resize_pil(const ResizeJob& job, bool bicubic, bool pillow_13, std::uint8_t* to) {
  ResizeScratch& s = job.scratch;
  const Window& w = job.window;
  Axis horizontal{s.first_x, s.taps_x, s.fixed_x}, vertical{s.first_y, s.taps_y, s.fixed_y};
  plan_axis(horizontal, job.from.width, job.size.width, w.x, w.width, bicubic, s.taps);
  plan_axis(vertical, job.from.height, job.size.height, w.y, w.height, bicubic, s.taps);
  const std::int64_t lost_width = job.from.width - job.size.width, lost_height = job.from.height - job.size.height;
  if (pillow_13 && lost_height > 0 && lost_height > 2 * lost_width)
    rows_then_columns(job, horizontal, vertical, to);
  else
    columns_then_rows(job, horizontal, vertical, to);
}

}  // namespace fovea
