#include "data/crop.h"

#include <cstring>

namespace fovea {
namespace {

int offset(int size, int crop, CropRounding rounding) {
  const int spare = size - crop;
  const int half = spare / 2;
  const bool is_tie_below_odd = spare % 2 == 1 && half % 2 == 1;  // x.5 with odd x rounds up to the even number
  return rounding == CropRounding::kHalfEven && is_tie_below_odd ? half + 1 : half;
}

}  // namespace

Result<Window> centre_window(ImageSize size, ImageSize crop, CropRounding rounding) {
  if (crop.width < 1 || crop.height < 1)
    return bad_input("crop: expected a size of at least 1x1, found {}x{}", crop.width, crop.height);
  if (size.width < crop.width || size.height < crop.height)
    return bad_input("crop: the image has {}x{} pixels, too few for a crop of {}x{}; resize it first", size.width,
                     size.height, crop.width, crop.height);
  return Window{offset(size.width, crop.width, rounding), offset(size.height, crop.height, rounding), crop.width,
                crop.height};
}

Result<Image> crop(const Image& from, const Window& w) {
  if (w.x < 0 || w.y < 0 || w.width < 1 || w.height < 1 || w.width > from.width - w.x || w.height > from.height - w.y)
    return bad_input("crop: the window {}x{} at {},{} does not lie inside {}x{}", w.width, w.height, w.x, w.y,
                     from.width, from.height);
  Image to{w.width, w.height, {}};
  to.rgb.resize(to.row_bytes() * static_cast<std::size_t>(w.height));
  for (int y = 0; y < w.height; ++y)
    std::memcpy(to.row(y), from.row(w.y + y) + static_cast<std::size_t>(w.x) * kImageChannels, to.row_bytes());
  return to;
}

}  // namespace fovea
