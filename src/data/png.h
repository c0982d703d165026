// PNG to RGB through libpng. Used by decode_image alone; the bytes are known to start as a PNG.
#pragma once

#include "data/image.h"

namespace fovea {

// Fills everything, the orientation of an eXIf chunk included; the pixels are as stored, not turned.
Result<DecodedImage> decode_png(std::span<const std::byte> bytes, const DecodeOptions& options);

}  // namespace fovea
