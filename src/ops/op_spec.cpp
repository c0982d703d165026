#include "ops/op_spec.h"

namespace fovea {
namespace {

constexpr const char* kKinds[] = {"an integer", "a float", "a text", "integers", "floats", "texts", "a tensor"};

// Fetches one attribute as T, or the fallback where it is absent.
template <class T>
Result<T> fetch(const Node& node, std::string_view name, const std::optional<T>& fallback) {
  const auto found = node.attributes.find(std::string(name));
  if (found == node.attributes.end()) {
    if (fallback) return *fallback;
    return bad_input("attribute {}: missing, and it has no default", name);
  }
  if (const T* value = std::get_if<T>(&found->second)) return *value;
  const std::size_t wanted = Attribute(T{}).index();
  return bad_input("attribute {}: expected {}, found {}", name, kKinds[wanted], kKinds[found->second.index()]);
}

}  // namespace

bool AttributeReader::has(std::string_view name) const { return node_->attributes.count(std::string(name)) > 0; }
Result<std::int64_t> AttributeReader::integer(std::string_view name, std::optional<std::int64_t> fallback) const {
  return fetch(*node_, name, fallback);
}
Result<float> AttributeReader::real(std::string_view name, std::optional<float> fallback) const {
  return fetch(*node_, name, fallback);
}
Result<std::string> AttributeReader::text(std::string_view name, std::optional<std::string> fallback) const {
  return fetch(*node_, name, fallback);
}
Result<std::vector<std::int64_t>> AttributeReader::integers(std::string_view name,
                                                            std::optional<std::vector<std::int64_t>> fallback) const {
  return fetch(*node_, name, fallback);
}
Result<std::vector<float>> AttributeReader::reals(std::string_view name,
                                                  std::optional<std::vector<float>> fallback) const {
  return fetch(*node_, name, fallback);
}
Result<std::shared_ptr<const Tensor>> AttributeReader::tensor(std::string_view name) const {
  return fetch<std::shared_ptr<const Tensor>>(*node_, name, std::nullopt);
}

}  // namespace fovea
