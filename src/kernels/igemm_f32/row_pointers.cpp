#include "kernels/igemm_f32/row_pointers.h"

#include <algorithm>

namespace fovea::kernels {
namespace {

// The least x >= 0 with x * stride >= distance.
std::int64_t first_at(std::int64_t distance, std::int64_t stride) {
  if (distance <= 0) return 0;
  return stride == 1 ? distance : (distance + stride - 1) / stride;
}

// Output pixels [x_begin, x_end) of one output row, for one tap.
struct Segment {
  std::int64_t image, oy, x_begin, x_end;
};

void fill_segment(const IgemmRows& a, const Segment& s, std::int64_t tap, std::int64_t k_begin, const float* zeros,
                  const float** out) {
  const std::int64_t ky = tap / a.kernel_w, kx = tap % a.kernel_w;
  const std::int64_t iy = s.oy * a.stride_h + ky * a.dilation_h - a.pad_top;
  const std::int64_t offset = kx * a.dilation_w - a.pad_left;  // ix = ox * stride_w + offset
  const std::int64_t length = s.x_end - s.x_begin;
  if (iy < 0 || iy >= a.in_h) {
    std::fill_n(out, length, zeros);
    return;
  }
  const std::int64_t begin = std::clamp(first_at(-offset, a.stride_w), s.x_begin, s.x_end);
  const std::int64_t end = std::clamp(first_at(a.in_w - offset, a.stride_w), begin, s.x_end);
  const std::int64_t step = a.stride_w * a.pixel_stride;
  const float* row = a.base + s.image * a.image_stride + iy * a.row_stride + k_begin;
  const std::int64_t first = offset * a.pixel_stride;
  std::int64_t x = s.x_begin;
  for (; x < begin; ++x) *out++ = zeros;
  for (; x < end; ++x) *out++ = row + (first + x * step);
  for (; x < s.x_end; ++x) *out++ = zeros;
}

}  // namespace

void fill_row_pointers(const IgemmRows& a, const RowBlock& block, const float* zeros, const float** table) {
  const std::int64_t rows = block.m_end - block.m_begin;
  std::int64_t m = block.m_begin;
  Segment s{m / (a.out_h * a.out_w), m / a.out_w % a.out_h, m % a.out_w, 0};
  while (m < block.m_end) {
    s.x_end = std::min(a.out_w, s.x_begin + block.m_end - m);
    for (std::int64_t t = block.tap_begin; t < block.tap_end; ++t)
      fill_segment(a, s, t, block.k_begin, zeros, table + (t - block.tap_begin) * rows + m - block.m_begin);
    m += s.x_end - s.x_begin;
    s.x_begin = 0;
    if (++s.oy == a.out_h) {
      s.oy = 0;
      ++s.image;
    }
  }
}

}  // namespace fovea::kernels
