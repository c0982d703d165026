#include "kernels/conv_rows/tap_classes.h"

#include <algorithm>

namespace fovea::kernels {
namespace {

// The least integer >= a / b, b > 0.
std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

}  // namespace

// Tap j of output o is inside while pad <= o * stride + j * dilation < in + pad.
AxisClass axis_class(const ConvAxis& axis, std::int64_t begin) {
  const std::int64_t at = begin * axis.stride;
  const std::int64_t first = std::clamp<std::int64_t>(ceil_div(axis.pad - at, axis.dilation), 0, axis.kernel);
  const std::int64_t last = std::clamp<std::int64_t>(ceil_div(axis.in + axis.pad - at, axis.dilation), 0, axis.kernel);
  std::int64_t end = axis.out;
  // One tap more enters at the front, or one less is left at the back.
  if (first > 0) end = std::min(end, ceil_div(axis.pad - (first - 1) * axis.dilation, axis.stride));
  if (last > 0) end = std::min(end, ceil_div(axis.in + axis.pad - (last - 1) * axis.dilation, axis.stride));
  return {begin, std::max(end, begin + 1), first, std::max(first, last)};
}

template <class T>
PixelGroups<T>::PixelGroups(const ConvRows<T>& a, std::int64_t c_stride, std::int64_t residual_stride)
    : a_(a),
      c_stride_(c_stride),
      residual_stride_(residual_stride),
      y_axis_{a_.in_h, a_.out_h, a_.kernel_h, a_.stride_h, a_.dilation_h, a_.pad_top},
      x_axis_{a_.in_w, a_.out_w, a_.kernel_w, a_.stride_w, a_.dilation_w, a_.pad_left},
      single_class_(axis_class(y_axis_, 0).end == a_.out_h && axis_class(x_axis_, 0).end == a_.out_w) {}

template <class T>
const T* PixelGroups<T>::origin(std::int64_t image, std::int64_t oy, std::int64_t ox) const {
  return a_.base + image * a_.image_stride + (oy * a_.stride_h - a_.pad_top) * a_.row_stride +
         (ox * a_.stride_w - a_.pad_left) * a_.pixel_stride + block_.k_begin;
}

template <class T>
void PixelGroups<T>::start(const IgemmBlock& block) {
  const std::int64_t image_pixels = a_.out_h * a_.out_w;
  const std::int64_t first = block.m_begin % image_pixels, rows = block.m_end - block.m_begin;
  const std::int64_t x = first % a_.out_w;
  const Shape shape{x + rows <= a_.out_w ? 0 : x, rows, block.tap_begin, block.tap_end};
  const bool sharable = single_class_ && first + rows <= image_pixels;
  shared_ = sharable && shape == shape_;
  shape_ = sharable ? shape : Shape{};
  block_ = block;
  base_ = origin(block.m_begin / image_pixels, first / a_.out_w, x);
  y_ = axis_class(y_axis_, 0);
  x_ = axis_class(x_axis_, 0);
}

template <class T>
bool PixelGroups<T>::next() {
  if (y_.begin == a_.out_h) return false;
  if (shared_) {
    y_.begin = a_.out_h;
    return true;
  }
  count_ = offset_count_ = row_count_ = tap_count_ = 0;
  while (append(y_, x_)) {
    if (x_.end < a_.out_w) {
      x_ = axis_class(x_axis_, x_.end);
      continue;
    }
    x_ = axis_class(x_axis_, 0);
    if (y_.end == a_.out_h) {
      y_.begin = a_.out_h;
      break;
    }
    y_ = axis_class(y_axis_, y_.end);
  }
  return count_ > 0;
}

// False if the memory is too full for the class; it then is as it was before.
template <class T>
bool PixelGroups<T>::append(const AxisClass& y, const AxisClass& x) {
  if (count_ == kMaxGroups || tap_count_ + block_.tap_end - block_.tap_begin > kMaxTaps) return false;
  const std::int64_t m = list_pixels(y, x);
  if (m == 0) return true;
  const std::int64_t taps = list_taps(y, x);
  if (offset_count_ + taps * m > kMaxOffsets) return false;
  list_a_offsets(m, taps);
  groups_[count_++] = {
      a_offsets_ + offset_count_, c_offsets_ + row_count_, residual_offsets_ + row_count_, taps_ + tap_count_, m, taps};
  offset_count_ += taps * m;
  row_count_ += m;
  tap_count_ += taps;
  return true;
}

template <class T>
std::int64_t PixelGroups<T>::list_pixels(const AxisClass& y, const AxisClass& x) {
  const std::int64_t image_pixels = a_.out_h * a_.out_w;
  std::int64_t count = 0;
  for (std::int64_t image = block_.m_begin / image_pixels; image * image_pixels < block_.m_end; ++image) {
    // The block's rows, counted in this image.
    const std::int64_t begin = block_.m_begin - image * image_pixels, end = block_.m_end - image * image_pixels;
    const std::int64_t y_begin = std::max(y.begin, std::max<std::int64_t>(begin, 0) / a_.out_w);
    const std::int64_t y_end = std::min(y.end, (end + a_.out_w - 1) / a_.out_w);
    for (std::int64_t oy = y_begin; oy < y_end; ++oy) {
      const std::int64_t row = oy * a_.out_w;
      const Interval pixels{std::max(x.begin, begin - row), std::min(x.end, end - row)};
      count += list_row(image, oy, pixels, row_count_ + count);
    }
  }
  return count;
}

// Pixels x of one output row, written from `at` on; their number.
template <class T>
std::int64_t PixelGroups<T>::list_row(std::int64_t image, std::int64_t oy, Interval x, std::int64_t at) {
  if (x.begin >= x.end) return 0;
  const std::int64_t first = (image * a_.out_h + oy) * a_.out_w + x.begin - block_.m_begin;
  const std::int64_t count = x.end - x.begin, step = a_.stride_w * a_.pixel_stride;
  const std::int64_t a = origin(image, oy, x.begin) - base_;
  const std::int64_t c = first * c_stride_, residual = first * residual_stride_;
  for (std::int64_t i = 0; i < count; ++i) origins_[at + i] = a + i * step;
  for (std::int64_t i = 0; i < count; ++i) c_offsets_[at + i] = c + i * c_stride_;
  for (std::int64_t i = 0; i < count; ++i) residual_offsets_[at + i] = residual + i * residual_stride_;
  return count;
}

// The taps of both axes that belong to the block; their number.
template <class T>
std::int64_t PixelGroups<T>::list_taps(const AxisClass& y, const AxisClass& x) {
  std::int32_t* taps = taps_ + tap_count_;
  std::int64_t count = 0;
  for (std::int64_t ky = y.tap_begin; ky < y.tap_end; ++ky) {
    const std::int64_t begin = std::max(ky * a_.kernel_w + x.tap_begin, block_.tap_begin);
    const std::int64_t end = std::min(ky * a_.kernel_w + x.tap_end, block_.tap_end);
    for (std::int64_t t = begin; t < end; ++t) taps[count++] = static_cast<std::int32_t>(t);
  }
  return count;
}

template <class T>
void PixelGroups<T>::list_a_offsets(std::int64_t m, std::int64_t taps) {
  std::int64_t* out = a_offsets_ + offset_count_;
  const std::int64_t* origins = origins_ + row_count_;
  for (std::int64_t t = 0; t < taps; ++t, out += m) {
    const std::int64_t tap = taps_[tap_count_ + t], ky = tap / a_.kernel_w, kx = tap % a_.kernel_w;
    const std::int64_t offset = ky * a_.dilation_h * a_.row_stride + kx * a_.dilation_w * a_.pixel_stride;
    for (std::int64_t i = 0; i < m; ++i) out[i] = origins[i] + offset;
  }
}

template class PixelGroups<float>;
template class PixelGroups<std::uint8_t>;

}  // namespace fovea::kernels
