// The taps of pooling windows that fall inside the image. Included by the ISA files of pool families only.
#pragma once

#include "kernels/pool/pool.h"

namespace fovea::kernels {
namespace {

// The taps [begin, end) of a window that fall inside [0, extent), for the window that begins at `first`.
struct Taps {
  int begin, end;
  Taps(int first, int kernel, int dilation, int extent) {
    begin = first >= 0 ? 0 : (-first + dilation - 1) / dilation;
    end = first >= extent ? 0 : (extent - 1 - first) / dilation + 1;
    if (end > kernel) end = kernel;
    if (begin > end) begin = end;
  }
  int count() const { return end - begin; }
};

// Calls visit(address) for each tap of a window, rows first.
template <class T, class Visit>
[[gnu::always_inline]] inline void each_tap(const PoolShape& s, const T* x, int iy, int ix, Taps rows, Taps columns,
                                            Visit visit) {
  for (int ky = rows.begin; ky < rows.end; ++ky) {
    const T* p = x + (std::int64_t{iy + ky * s.dilation_h} * s.in_w + ix + columns.begin * s.dilation_w) * s.channels;
    for (int kx = columns.begin; kx < columns.end; ++kx, p += std::int64_t{s.dilation_w} * s.channels) visit(p);
  }
}

// Taps of a window inside [-pad_begin, extent + pad_end).
inline int padded_count(int first, int kernel, int dilation, int extent, int pad_begin, int pad_end) {
  return Taps(first + pad_begin, kernel, dilation, extent + pad_begin + pad_end).count();
}

}  // namespace
}  // namespace fovea::kernels
