#include "report/html_thumbnail.h"

#include <algorithm>

#include "data/image.h"
#include "data/jpeg_encode.h"
#include "data/resize.h"
#include "report/html_text.h"

namespace fovea {

Result<std::string> thumbnail_data_uri(const std::filesystem::path& file, int pixels) {
  constexpr int kQuality = 78;
  DecodeOptions options;
  options.strict = false;
  FOVEA_TRY(DecodedImage decoded, decode_image_file(file, options));
  Image& image = decoded.image;
  const int longer = std::max(image.width, image.height);
  if (longer > pixels) {
    const auto scaled = [&](int side) { return std::max(1, static_cast<int>(std::int64_t{side} * pixels / longer)); };
    FOVEA_TRY(image, resize(image, {scaled(image.width), scaled(image.height)}, Interpolation::kPilBilinear));
  }
  FOVEA_TRY(const std::vector<std::byte> jpeg, encode_jpeg(image, kQuality));
  return "data:image/jpeg;base64," + base64(jpeg);
}

}  // namespace fovea
