// The EXIF orientation of a photograph: found in its bytes, and applied to its pixels.
#pragma once

#include "data/image.h"

namespace fovea {

// Orientation (tag 0x0112 of IFD0, 1..8) of a TIFF structure as EXIF carries it; 1 if absent, malformed or out of
// range.
int tiff_orientation(std::span<const std::byte> tiff);

// The same for a JPEG: of its first APP1 segment that starts with "Exif\0\0", looked for up to the first scan.
int jpeg_orientation(std::span<const std::byte> jpeg);

// The upright image. 1 returns it unchanged; 5..8 exchange width and height.
Image apply_orientation(Image image, int orientation);

}  // namespace fovea
