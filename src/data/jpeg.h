// JPEG to RGB through libjpeg-turbo's libjpeg API. Used by decode_image alone; the bytes are known to start as a JPEG.
#pragma once

#include "data/image.h"

namespace fovea {

// Fills everything but info.orientation; the pixels are as stored, not turned.
Result<DecodedImage> decode_jpeg(std::span<const std::byte> bytes, const DecodeOptions& options);

}  // namespace fovea
