#include "import/wire/names.h"

namespace fovea::wire {

std::string shown(std::string_view name) {
  constexpr std::size_t kMaxShown = 80;
  std::string out(name.substr(0, kMaxShown));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return name.size() > kMaxShown ? out + "…" : out;
}

Status check_name(std::string_view name, const ImportLimits& limits) {
  if (static_cast<std::int64_t>(name.size()) > limits.name_bytes)
    return make_error(ErrorCode::kResource, "name {}: expected at most {} bytes, found {}", shown(name),
                      limits.name_bytes, name.size());
  for (const char c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return bad_input("name {} holds the control character 0x{:02x}", shown(name), static_cast<unsigned char>(c));
  return {};
}

}  // namespace fovea::wire
