// encode_jpeg: RGB pixels to the bytes of a JPEG file, for previews.
#pragma once

#include <cstddef>
#include <vector>

#include "data/image.h"

namespace fovea {

// Baseline JPEG with 4:2:0 chroma; quality 1…100 as libjpeg counts it. Thread-safe. Errors: an empty image, memory.
Result<std::vector<std::byte>> encode_jpeg(const Image& image, int quality = 80);

}  // namespace fovea
