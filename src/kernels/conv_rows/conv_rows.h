// ConvRows: where the rows of a convolution's matrix lie in an NHWC image, for the indirect GEMMs.
#pragma once

#include <cstdint>

namespace fovea::kernels {

// Output pixel m = (image * out_h + oy) * out_w + ox reads, for tap (ky, kx) in row-major order, at
// base + image*image_stride + iy*row_stride + ix*pixel_stride with iy = oy*stride_h + ky*dilation_h - pad_top and ix
// likewise, if 0 <= iy < in_h and 0 <= ix < in_w, and else leaves the tap out. Strides in elements.
template <class T>
struct ConvRows {
  const T* base = nullptr;
  std::int64_t image_stride = 0, row_stride = 0, pixel_stride = 0;
  std::int64_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, pad_top = 0, pad_left = 0;

  std::int64_t taps() const { return kernel_h * kernel_w; }
};

// m rows, lda elements apart.
template <class T>
ConvRows<T> dense_rows(const T* base, std::int64_t m, std::int64_t lda) {
  ConvRows<T> rows;
  rows.base = base;
  rows.pixel_stride = lda;
  rows.in_w = rows.out_w = m;
  return rows;
}

// An image that kernels/pad_input wrote: [images][padded_h][padded_w][channels] with every tap inside it.
template <class T>
struct PaddedImage {
  const T* base;
  std::int64_t padded_h, padded_w, channels;
};

// A tap is a kernel row of kernel_w * channels elements: the problem's k must be that.
template <class T>
ConvRows<T> padded_image_rows(const PaddedImage<T>& image, std::int64_t kernel_h, std::int64_t stride_h,
                              std::int64_t stride_w, std::int64_t out_h, std::int64_t out_w) {
  ConvRows<T> rows;
  rows.base = image.base;
  rows.pixel_stride = image.channels;
  rows.row_stride = image.padded_w * image.channels;
  rows.image_stride = image.padded_h * rows.row_stride;
  rows.in_h = image.padded_h;
  rows.in_w = image.padded_w;
  rows.out_h = out_h;
  rows.out_w = out_w;
  rows.kernel_h = kernel_h;
  rows.stride_h = stride_h;
  rows.stride_w = stride_w;
  return rows;
}

}  // namespace fovea::kernels
