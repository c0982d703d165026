#include "data/example_image.h"

#include <cstring>

#include "data/example.pb.h"

namespace fovea {
namespace {

const char* kind_name(const messages::Feature& feature) {
  switch (feature.kind_case()) {
    case messages::Feature::kBytesList:
      return "bytes";
    case messages::Feature::kFloatList:
      return "floats";
    case messages::Feature::kInt64List:
      return "integers";
    default:
      return "nothing";
  }
}

Status take(const std::string& key, const messages::Feature& feature, std::string& to) {
  const auto& list = feature.bytes_list();
  if (!feature.has_bytes_list() || list.value_size() > 1)
    return bad_input("feature {}: expected one string of bytes, found {} {}", key, list.value_size(),
                     kind_name(feature));
  to = list.value_size() ? list.value(0) : std::string();
  return {};
}

Status take(const std::string& key, const messages::Feature& feature, std::int64_t& to) {
  const auto& list = feature.int64_list();
  if (!feature.has_int64_list() || list.value_size() != 1)
    return bad_input("feature {}: expected one integer, found {} {}", key, list.value_size(), kind_name(feature));
  to = list.value(0);
  return {};
}

Status take_image(const std::string& key, const messages::Feature& feature, std::vector<std::byte>& to) {
  std::string bytes;
  FOVEA_RETURN_IF_ERROR(take(key, feature, bytes));
  const auto* from = reinterpret_cast<const std::byte*>(bytes.data());
  to.assign(from, from + bytes.size());
  return {};
}

bool is_wanted(const std::string& key) {
  for (const char* known : {"image/class/label", "image/width", "image/height", "image/filename", "image/class/synset",
                            "image/format", "image/encoded"})
    if (key == known) return true;
  return false;
}

Status take(const messages::FeatureEntry& entry, ImageExample& to) {
  const std::string& key = entry.key();
  if (!is_wanted(key)) return {};
  messages::Feature feature;
  if (!feature.ParseFromString(entry.value()))
    return bad_input("feature {}: expected a tf.train.Feature, found {} bytes that are none", key,
                     entry.value().size());
  if (key == "image/class/label") return take(key, feature, to.label);
  if (key == "image/width") return take(key, feature, to.width);
  if (key == "image/height") return take(key, feature, to.height);
  if (key == "image/filename") return take(key, feature, to.filename);
  if (key == "image/class/synset") return take(key, feature, to.synset);
  if (key == "image/format") return take(key, feature, to.format);
  return take_image(key, feature, to.encoded);
}

void add(messages::Features& features, const char* key, const messages::Feature& feature) {
  auto* entry = features.add_feature();
  entry->set_key(key);
  entry->set_value(feature.SerializeAsString());
}

void add(messages::Features& features, const char* key, const std::string& bytes) {
  messages::Feature feature;
  feature.mutable_bytes_list()->add_value(bytes);
  add(features, key, feature);
}

void add(messages::Features& features, const char* key, std::int64_t number) {
  messages::Feature feature;
  feature.mutable_int64_list()->add_value(number);
  add(features, key, feature);
}

}  // namespace

Result<ImageExample> parse_image_example(std::span<const std::byte> record) {
  messages::Example message;
  if (record.size() > INT32_MAX || !message.ParseFromArray(record.data(), static_cast<int>(record.size())))
    return bad_input("expected a tf.train.Example, found {} bytes that are none", record.size());
  ImageExample example;
  for (const auto& entry : message.features().feature()) FOVEA_RETURN_IF_ERROR(take(entry, example));
  if (example.encoded.empty()) return bad_input("feature image/encoded: expected the bytes of an image, found none");
  if (example.label < -1)
    return bad_input("feature image/class/label: expected a number from 0, found {}", example.label);
  return example;
}

std::vector<std::byte> serialise(const ImageExample& example) {
  messages::Example message;
  messages::Features& features = *message.mutable_features();
  add(features, "image/height", example.height);
  add(features, "image/width", example.width);
  add(features, "image/colorspace", std::string("RGB"));
  add(features, "image/channels", std::int64_t{3});
  if (example.label >= 0) add(features, "image/class/label", example.label);
  add(features, "image/class/synset", example.synset);
  add(features, "image/format", example.format);
  add(features, "image/filename", example.filename);
  add(features, "image/encoded",
      std::string(reinterpret_cast<const char*>(example.encoded.data()), example.encoded.size()));
  std::vector<std::byte> bytes(message.ByteSizeLong());
  FOVEA_CHECK(message.SerializeToArray(bytes.data(), static_cast<int>(bytes.size())));
  return bytes;
}

}  // namespace fovea
