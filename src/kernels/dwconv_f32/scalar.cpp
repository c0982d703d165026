// The plain form of the depthwise convolution: what the vector kernels must agree with.
#include "kernels/dwconv_f32/dwconv_f32.h"
#include "kernels/vector_math_scalar.h"

namespace fovea::kernels {

void dwconv_f32_any_scalar(const DwConvF32Args& args, int row_begin, int row_end) {
  const DwConvF32Shape& s = args.shape;
  for (int oy = row_begin; oy < row_end; ++oy) {
    for (int ox = 0; ox < s.out_w; ++ox) {
      const std::int64_t at = oy * args.y_row + ox * args.y_pixel;
      for (int c = 0; c < s.channels; ++c) {
        float sum = args.bias ? args.bias[c] : 0.0f;
        for (int kx = 0; kx < s.kernel_w; ++kx) {
          const int ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
          if (ix < 0 || ix >= s.in_w) continue;
          for (int ky = 0; ky < s.kernel_h; ++ky) {
            const int iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
            if (iy < 0 || iy >= s.in_h) continue;
            sum += args.x[iy * args.x_row + ix * args.x_pixel + c] *
                   args.weights[(std::int64_t{kx} * s.kernel_h + ky) * s.channels + c];
          }
        }
        if (args.residual) sum += args.residual[at + c];
        args.y[at + c] = apply_epilogue<Scalar>(args.epilogue, sum);
      }
    }
  }
}

}  // namespace fovea::kernels
