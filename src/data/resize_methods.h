// The resize methods behind resize.h, one file each. Arguments are checked there.
#pragma once

#include "data/resize.h"

namespace fovea {

// What every method gets. `size` is that of the whole result, `window` the part of it to compute.
struct ResizeJob {
  const Image& from;
  ImageSize size;
  Window window;
  ResizeScratch& scratch;
};

// With `pillow_13` the order of the two passes follows Pillow 13, otherwise it is horizontal, vertical.
void resize_pil(const ResizeJob& job, bool bicubic, bool pillow_13, std::uint8_t* to);
void resize_opencv_linear(const ResizeJob& job, std::uint8_t* to);
void resize_opencv_area(const ResizeJob& job, std::uint8_t* to);
void resize_tf(const ResizeJob& job, bool half_pixel_centres, float* to);

}  // namespace fovea
