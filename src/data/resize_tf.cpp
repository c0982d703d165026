// TensorFlow's ResizeBilinear kernel: two taps in float, rounded after every operation, results not rounded to bytes.
#include <algorithm>
#include <cmath>

#include "data/resize_methods.h"

namespace fovea {
namespace {

// Lower and upper source of each output (in `first`, pairs) and the fraction between them.
void plan_axis(std::vector<int>& pairs, std::vector<float>& fractions, int in_size, int out_size, int begin, int count,
               bool half_pixel_centres) {
  const float scale = static_cast<float>(in_size) / static_cast<float>(out_size);
  pairs.resize(static_cast<std::size_t>(count) * 2);
  fractions.resize(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const auto out = static_cast<float>(begin + i);
    const float at = half_pixel_centres ? (out + 0.5f) * scale - 0.5f : out * scale;
    const float floor = std::floor(at);
    const int upper = std::min(static_cast<int>(std::ceil(at)), in_size - 1);
    pairs[2 * static_cast<std::size_t>(i)] = std::min(std::max(static_cast<int>(floor), 0), upper);
    pairs[2 * static_cast<std::size_t>(i) + 1] = upper;
    fractions[static_cast<std::size_t>(i)] = at - floor;
  }
}

}  // namespace

void resize_tf(const ResizeJob& job, bool half_pixel_centres, float* to) {
  ResizeScratch& s = job.scratch;
  const Window& w = job.window;
  plan_axis(s.first_x, s.weights_x, job.from.width, job.size.width, w.x, w.width, half_pixel_centres);
  plan_axis(s.first_y, s.weights_y, job.from.height, job.size.height, w.y, w.height, half_pixel_centres);
  for (std::size_t y = 0; y < static_cast<std::size_t>(w.height); ++y) {
    const std::uint8_t* upper = job.from.row(s.first_y[2 * y]);
    const std::uint8_t* lower = job.from.row(s.first_y[2 * y + 1]);
    const float fy = s.weights_y[y];
    for (std::size_t x = 0; x < static_cast<std::size_t>(w.width); ++x) {
      const std::size_t left = static_cast<std::size_t>(s.first_x[2 * x]) * kImageChannels;
      const std::size_t right = static_cast<std::size_t>(s.first_x[2 * x + 1]) * kImageChannels;
      const float fx = s.weights_x[x];
      for (std::size_t c = 0; c < kImageChannels; ++c, ++to) {
        const float top_left = upper[left + c], top_right = upper[right + c];
        const float bottom_left = lower[left + c], bottom_right = lower[right + c];
        const float top = top_left + (top_right - top_left) * fx;
        const float bottom = bottom_left + (bottom_right - bottom_left) * fx;
        *to = top + (bottom - top) * fy;
      }
    }
  }
}

}  // namespace fovea
