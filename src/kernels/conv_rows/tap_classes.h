// Output pixels grouped by the taps that reach into the image, and the addresses of their inputs.
#pragma once

#include "kernels/conv_rows/conv_rows.h"

namespace fovea::kernels {

// One axis of a convolution.
struct ConvAxis {
  std::int64_t in, out, kernel, stride, dilation, pad;
};

// Outputs [begin, end) of an axis, which all have the taps [tap_begin, tap_end) inside the image, and only those.
struct AxisClass {
  std::int64_t begin, end;
  std::int64_t tap_begin, tap_end;
};

// The class that starts at output `begin`. Classes are intervals: taps enter and leave in order.
AxisClass axis_class(const ConvAxis& axis, std::int64_t begin);

// Rows [m_begin, m_end) and products of a block: taps [tap_begin, tap_end), elements [k_begin, k_end) of each.
struct IgemmBlock {
  std::int64_t m_begin, m_end;
  std::int64_t tap_begin, tap_end;
  std::int64_t k_begin, k_end;
};

// The pixels of a block that have the same taps: what a kernel run needs to know about its rows. Offsets are in
// elements, those of A from PixelGroups::a(), the others from the block's first row.
struct PixelGroup {
  const std::int64_t* a_offsets;  // [taps][m]
  const std::int64_t* c_offsets;  // [m]
  const std::int64_t* residual_offsets;
  const std::int32_t* tap_indices;  // [taps], counted from the convolution's first
  std::int64_t m, taps;
};

// The groups of one block after the other, in fixed memory:
//   PixelGroups<float> groups(rows, c_stride, residual_stride);
//   for (each block) { groups.start(block); while (groups.next()) for (const PixelGroup& group : groups) … }
template <class T>
class PixelGroups {
 public:
  static constexpr std::int64_t kMaxRows = 480;       // m_end - m_begin of a block
  static constexpr std::int64_t kMaxBlockTaps = 128;  // tap_end - tap_begin
  static constexpr std::int64_t kMaxOffsets = 2048;   // their product

  // Keeps `a` by reference.
  PixelGroups(const ConvRows<T>& a, std::int64_t c_stride, std::int64_t residual_stride);
  void start(const IgemmBlock& block);
  // Collects groups until the memory is full or the block ends; false when none were left.
  bool next();
  const PixelGroup* begin() const { return groups_; }
  const PixelGroup* end() const { return groups_ + count_; }
  const T* a() const { return base_; }

 private:
  static constexpr std::int64_t kMaxGroups = 32;
  static constexpr std::int64_t kMaxTaps = 512;

  // What the offsets depend on where no pixel lacks a tap: blocks alike share them.
  struct Shape {
    std::int64_t lead, rows, tap_begin, tap_end;
    bool operator==(const Shape&) const = default;
  };
  struct Interval {
    std::int64_t begin, end;
  };

  bool append(const AxisClass& y, const AxisClass& x);
  std::int64_t list_pixels(const AxisClass& y, const AxisClass& x);
  std::int64_t list_row(std::int64_t image, std::int64_t oy, Interval x, std::int64_t at);
  std::int64_t list_taps(const AxisClass& y, const AxisClass& x);
  void list_a_offsets(std::int64_t m, std::int64_t taps);
  const T* origin(std::int64_t image, std::int64_t oy, std::int64_t ox) const;

  const ConvRows<T>& a_;
  std::int64_t c_stride_, residual_stride_;
  ConvAxis y_axis_, x_axis_;
  bool single_class_;
  IgemmBlock block_{};
  const T* base_ = nullptr;
  Shape shape_{};        // of the offsets held, if any may be shared
  bool shared_ = false;  // the offsets held are those of the block
  AxisClass y_{}, x_{};  // the next class to append
  std::int64_t count_ = 0, offset_count_ = 0, row_count_ = 0, tap_count_ = 0;
  PixelGroup groups_[kMaxGroups];
  std::int64_t a_offsets_[kMaxOffsets];
  std::int64_t origins_[kMaxRows];  // where tap (0, 0) of a row would be
  std::int64_t c_offsets_[kMaxRows];
  std::int64_t residual_offsets_[kMaxRows];
  std::int32_t taps_[kMaxTaps];
};

}  // namespace fovea::kernels
