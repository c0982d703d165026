// Ranges of rows, pixels or the like that run over all images of a batch, cut at the images.
#pragma once

#include <algorithm>
#include <cstdint>

namespace fovea::cpu {

// Calls body(image, first, last) for each image that has some of [begin, end), of `per_image` items an image.
template <class Body>
void each_image_range(std::int64_t begin, std::int64_t end, std::int64_t per_image, Body body) {
  for (std::int64_t at = begin; at < end;) {
    const std::int64_t image = at / per_image, first = at % per_image;
    const std::int64_t last = std::min(per_image, first + end - at);
    body(image, first, last);
    at += last - first;
  }
}

}  // namespace fovea::cpu
