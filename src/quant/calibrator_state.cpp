#include "quant/calibrator_state.h"

#include <cmath>
#include <limits>

namespace fovea::quant {
namespace {

Result<const nlohmann::json*> member(const nlohmann::json& object, const std::string& key) {
  if (!object.is_object()) return bad_input("expected an object, found {}", object.type_name());
  const auto found = object.find(key);
  if (found == object.end()) return bad_input("key {}: missing", key);
  return &*found;
}

Error wrong(const std::string& key, const char* expected, const nlohmann::json& found) {
  return bad_input("key {}: expected {}, found {}", key, expected, found.type_name());
}

bool is_count(const nlohmann::json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
  return value.is_number_integer() && value.get<std::int64_t>() >= 0;
}

}  // namespace

Result<bool> read_flag(const nlohmann::json& object, const std::string& key) {
  FOVEA_TRY(const nlohmann::json* value, member(object, key));
  if (!value->is_boolean()) return wrong(key, "true or false", *value);
  return value->get<bool>();
}

Result<double> read_double(const nlohmann::json& object, const std::string& key) {
  FOVEA_TRY(const nlohmann::json* value, member(object, key));
  if (!value->is_number() || !std::isfinite(value->get<double>())) return wrong(key, "a finite number", *value);
  return value->get<double>();
}

Result<float> read_float(const nlohmann::json& object, const std::string& key) {
  FOVEA_TRY(const double value, read_double(object, key));
  if (!std::isfinite(static_cast<float>(value))) return bad_input("key {}: {} is no float", key, value);
  return static_cast<float>(value);
}

Result<std::int64_t> read_count(const nlohmann::json& object, const std::string& key) {
  FOVEA_TRY(const nlohmann::json* value, member(object, key));
  if (!is_count(*value)) return wrong(key, "a count", *value);
  return value->get<std::int64_t>();
}

Result<std::string> read_text(const nlohmann::json& object, const std::string& key) {
  FOVEA_TRY(const nlohmann::json* value, member(object, key));
  if (!value->is_string()) return wrong(key, "a text", *value);
  return value->get<std::string>();
}

Result<std::vector<std::int64_t>> read_counts(const nlohmann::json& object, const std::string& key, std::size_t most) {
  FOVEA_TRY(const nlohmann::json* value, member(object, key));
  if (!value->is_array()) return wrong(key, "a list", *value);
  if (value->size() > most) return bad_input("key {}: {} entries, expected at most {}", key, value->size(), most);
  std::vector<std::int64_t> counts;
  for (const nlohmann::json& item : *value) {
    if (!is_count(item)) return wrong(key, "counts", item);
    counts.push_back(item.get<std::int64_t>());
  }
  return counts;
}

}  // namespace fovea::quant
