#include "import/tensorflow/attributes.h"

#include <set>

#include "import/wire/names.h"

namespace fovea::tensorflow_import {
namespace {

struct KindRow {
  std::string_view code;
  tf::AttrValue::ValueCase held;
  const char* text;
};
constexpr KindRow kKinds[] = {
    {"i", tf::AttrValue::kI, "an integer"},        {"f", tf::AttrValue::kF, "a float"},
    {"b", tf::AttrValue::kB, "true or false"},     {"s", tf::AttrValue::kS, "a text"},
    {"t", tf::AttrValue::kType, "a type"},         {"sh", tf::AttrValue::kShape, "a shape"},
    {"tn", tf::AttrValue::kTensor, "a tensor"},    {"l", tf::AttrValue::kList, "a list"},
    {"", tf::AttrValue::kFunc, "a function"},      {"", tf::AttrValue::kPlaceholder, "a placeholder"},
    {"", tf::AttrValue::VALUE_NOT_SET, "nothing"},
};

const char* kind_text(tf::AttrValue::ValueCase held) {
  for (const KindRow& row : kKinds)
    if (row.held == held) return row.text;
  return "something else";
}

// The code behind `name:` in the list of expected ones; empty if it is not there.
std::string_view expected_code(std::string_view expected, std::string_view name) {
  while (!expected.empty()) {
    const std::string_view entry = expected.substr(0, expected.find(' '));
    expected.remove_prefix(std::min(expected.size(), entry.size() + 1));
    const auto colon = entry.find(':');
    if (entry.substr(0, colon) == name) return entry.substr(colon + 1);
  }
  return {};
}

Status check_one(const tf::AttrEntry& entry, std::string_view expected) {
  const std::string_view code = expected_code(expected, entry.key());
  if (code.empty()) return bad_input("the operator has no such attribute");
  for (const KindRow& row : kKinds) {
    if (row.code != (code[0] == 'l' ? "l" : code)) continue;
    if (entry.value().value_case() == row.held) return {};
    return bad_input("expected {}, found {}", row.text, kind_text(entry.value().value_case()));
  }
  return {};
}

}  // namespace

Status AttributeReader::check(std::string_view expected, const ImportLimits& limits) const {
  std::set<std::string_view> seen;
  for (const tf::AttrEntry& entry : node_->attr()) {
    FOVEA_RETURN_IF_ERROR(wire::check_name(entry.key(), limits));
    const auto within = [&](Error&& e) { return std::move(e).within("attribute " + wire::shown(entry.key())); };
    if (!seen.insert(entry.key()).second) return within(bad_input("it is given twice"));
    if (entry.key().starts_with("_")) continue;
    if (Status status = check_one(entry, expected); !status.ok()) return within(std::move(status).error());
  }
  return {};
}

const tf::AttrValue* AttributeReader::find(std::string_view name) const {
  for (const tf::AttrEntry& entry : node_->attr())
    if (entry.key() == name) return &entry.value();
  return nullptr;
}

std::int64_t AttributeReader::integer(std::string_view name, std::int64_t fallback) const {
  const auto* found = find(name);
  return found ? found->i() : fallback;
}

float AttributeReader::real(std::string_view name, float fallback) const {
  const auto* found = find(name);
  return found ? found->f() : fallback;
}

bool AttributeReader::flag(std::string_view name, bool fallback) const {
  const auto* found = find(name);
  return found ? found->b() : fallback;
}

std::string AttributeReader::text(std::string_view name, std::string_view fallback) const {
  const auto* found = find(name);
  return found ? found->s() : std::string(fallback);
}

std::vector<std::int64_t> AttributeReader::integers(std::string_view name) const {
  const auto* found = find(name);
  if (!found) return {};
  return {found->list().i().begin(), found->list().i().end()};
}

std::vector<std::string> AttributeReader::texts(std::string_view name) const {
  const auto* found = find(name);
  if (!found) return {};
  return {found->list().s().begin(), found->list().s().end()};
}

int AttributeReader::type(std::string_view name, int fallback) const {
  const auto* found = find(name);
  return found && found->value_case() == tf::AttrValue::kType ? static_cast<int>(found->type()) : fallback;
}

const tf::TensorShape* AttributeReader::shape(std::string_view name) const {
  const auto* found = find(name);
  return found ? &found->shape() : nullptr;
}

tf::TensorValue* AttributeReader::tensor(std::string_view name) {
  for (tf::AttrEntry& entry : *node_->mutable_attr())
    if (entry.key() == name) return entry.mutable_value()->mutable_tensor();
  return nullptr;
}

}  // namespace fovea::tensorflow_import
