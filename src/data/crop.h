// crop: windows of an image, cut exactly; centre_window says where a centre crop lies.
#pragma once

#include "data/resize.h"

namespace fovea {

// What happens to the odd pixel when (size - crop) is odd.
enum class CropRounding : std::uint8_t {
  kDown,      // (size - crop) / 2 cut off: int((w - c) / 2) of the MLPerf, TensorFlow and most PIL scripts
  kHalfEven,  // Python's round((size - crop) / 2): torchvision's CenterCrop
};

// The centre crop of an image of `size`; an error, which names both, where the image is smaller on a side.
Result<Window> centre_window(ImageSize size, ImageSize crop, CropRounding rounding);

// The pixels of `window`, which must lie inside (kBadInput otherwise).
Result<Image> crop(const Image& from, const Window& window);

}  // namespace fovea
