#include "quant/rounding_state.h"

#include <cmath>
#include <limits>

#include "quant/calibrator_state.h"

namespace fovea::quant {
namespace {

// Infinity is not in JSON: null stands for it.
nlohmann::json decibels(double value) { return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(); }

Result<double> read_decibels(const nlohmann::json& state, const std::string& key) {
  if (state.contains(key) && state[key].is_null()) return std::numeric_limits<double>::infinity();
  return read_double(state, key);
}

}  // namespace

std::string to_hex(const std::vector<bool>& bits) {
  std::string out((bits.size() + 3) / 4, '0');
  for (std::size_t i = 0; i < bits.size(); i += 4) {
    unsigned digit = 0;
    for (std::size_t j = i; j < std::min(i + 4, bits.size()); ++j) digit |= (bits[j] ? 1u : 0u) << (j - i);
    out[i / 4] = "0123456789abcdef"[digit];
  }
  return out;
}

Result<std::vector<bool>> from_hex(const std::string& text, std::size_t count) {
  if (text.size() != (count + 3) / 4)
    return bad_input("expected {} hex digits for {} weights, found {}", (count + 3) / 4, count, text.size());
  std::vector<bool> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto digit = std::string_view("0123456789abcdef").find(text[i / 4]);
    if (digit == std::string_view::npos) return bad_input("'{}' is no hex digit", text[i / 4]);
    out[i] = (digit >> (i % 4)) & 1;
  }
  return out;
}

nlohmann::json to_json(const RoundedLayer& layer, const std::vector<bool>& up) {
  return {{"name", layer.name},
          {"nearest_sqnr_db", decibels(layer.nearest_sqnr_db)},
          {"adaptive_sqnr_db", decibels(layer.adaptive_sqnr_db)},
          {"weights", layer.weights},
          {"changed", layer.changed},
          {"up", to_hex(up)}};
}

Result<RestoredLayer> restore_layer(const nlohmann::json& state) {
  RestoredLayer out;
  FOVEA_TRY(out.layer.name, read_text(state, "name"));
  FOVEA_TRY(out.layer.nearest_sqnr_db, read_decibels(state, "nearest_sqnr_db"));
  FOVEA_TRY(out.layer.adaptive_sqnr_db, read_decibels(state, "adaptive_sqnr_db"));
  FOVEA_TRY(out.layer.weights, read_count(state, "weights"));
  FOVEA_TRY(out.layer.changed, read_count(state, "changed"));
  FOVEA_TRY(const std::string up, read_text(state, "up"));
  out.layer.adopted = !up.empty();
  if (out.layer.adopted) {
    FOVEA_TRY(out.up, from_hex(up, static_cast<std::size_t>(out.layer.weights)));
  }
  return out;
}

}  // namespace fovea::quant
