// The walk over output pixels that all average pools share. Included by the ISA files only.
#pragma once

#include "kernels/pool/taps.h"
#include "kernels/pool_u8/pool_u8.h"

namespace fovea::kernels {
namespace {

// One window: its taps inside the image, what its sums lack, and the factor to its mean.
struct AverageWindow {
  int iy, ix;
  Taps rows, columns;
  int zero_point_sum;  // the zero points of all taps inside the image
  float multiplier;
};

// Calls compute(window, y of its pixel) for every output pixel of rows [row_begin, row_end).
template <class Out, class Compute>
void each_window(const AveragePoolU8Args& args, int row_begin, int row_end, Compute compute) {
  const PoolShape& s = args.shape;
  for (int oy = row_begin; oy < row_end; ++oy) {
    const int iy = oy * s.stride_h - s.pad_top;
    const Taps rows(iy, s.kernel_h, s.dilation_h, s.in_h);
    const int padded_rows = padded_count(iy, s.kernel_h, s.dilation_h, s.in_h, s.pad_top, s.pad_bottom);
    for (int ox = 0; ox < s.out_w; ++ox) {
      const int ix = ox * s.stride_w - s.pad_left;
      const Taps columns(ix, s.kernel_w, s.dilation_w, s.in_w);
      const int inside = rows.count() * columns.count();
      const int count = args.count_include_pad
                            ? padded_rows * padded_count(ix, s.kernel_w, s.dilation_w, s.in_w, s.pad_left, s.pad_right)
                            : inside;
      const float multiplier = count > 0 ? static_cast<float>(args.scale / count) : 0.0f;
      compute(AverageWindow{iy, ix, rows, columns, inside * args.x_zero_point, multiplier},
              static_cast<Out*>(args.y) + (std::int64_t{oy} * s.out_w + ox) * s.channels);
    }
  }
}

}  // namespace
}  // namespace fovea::kernels
