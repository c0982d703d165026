#include "zoo/model_preprocess.h"

#include <cmath>

namespace fovea {

bool PreprocessOverrides::any() const {
  return preset || resize || crop || interpolation || mean || std || channel_order;
}

Result<Preprocess> apply_overrides(Preprocess p, const PreprocessOverrides& overrides) {
  if (overrides.preset) {
    FOVEA_TRY(p, find_preprocess(*overrides.preset));
  }
  if (overrides.resize) {
    FOVEA_TRY(p.resize, parse_resize(*overrides.resize));
  }
  if (overrides.crop) {
    if (*overrides.crop < 0)
      return make_error(ErrorCode::kUsage, "crop {}: expected a size in pixels", *overrides.crop);
    p.crop = {*overrides.crop, *overrides.crop};
  }
  if (overrides.interpolation) {
    FOVEA_TRY(p.interpolation, parse_interpolation(*overrides.interpolation));
  }
  if (overrides.channel_order) {
    FOVEA_TRY(p.channel_order, parse_channel_order(*overrides.channel_order));
  }
  // Means and deviations that are given are on the scale 0..255, whatever the preset's divisor was.
  if (overrides.mean || overrides.std) {
    for (std::size_t c = 0; c < 3; ++c) {
      p.mean[c] = overrides.mean ? (*overrides.mean)[c] : p.mean[c] * p.divisor;
      p.std[c] = overrides.std ? (*overrides.std)[c] : p.std[c] * p.divisor;
    }
    p.divisor = 1;
  }
  FOVEA_RETURN_IF_ERROR(check_preprocess(p));
  return p;
}

Preprocess fit_to_input(Preprocess p, ImageSize input) {
  if (output_size(p) == input) return p;
  if (p.resize.kind == ResizeRule::Kind::kExact) p.resize.size = input;
  if (p.resize.kind == ResizeRule::Kind::kShorter && p.crop.width > 0) {
    const double scale = static_cast<double>(std::max(input.width, input.height)) / p.crop.width;
    const int side = static_cast<int>(std::lround(p.resize.size.width * scale));
    p.resize.size = {side, side};
  }
  p.crop = input;
  p.final_size = {};
  return p;
}

}  // namespace fovea
