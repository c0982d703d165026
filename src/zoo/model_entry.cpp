#include "zoo/model_entry.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace fovea {
namespace {

using Json = nlohmann::json;

// Typed access to one JSON object. Errors name the path of the key; finish() refuses keys that nobody asked for.
class Fields {
 public:
  Fields(const Json& object, std::string path) : object_(object), path_(std::move(path)) {}

  Result<const Json*> required(const std::string& key, Json::value_t type) {
    FOVEA_TRY(const Json* value, optional(key, type));
    if (!value) return bad_input("{}: the key is missing", name_of(key));
    return value;
  }
  // nullptr if there is none.
  Result<const Json*> optional(const std::string& key, Json::value_t type) {
    if (!object_.is_object()) return bad_input("{}: expected an object, found {}", path_, object_.type_name());
    asked_.insert(key);
    const auto found = object_.find(key);
    if (found == object_.end()) return static_cast<const Json*>(nullptr);
    const bool matches = type == Json::value_t::number_float ? found->is_number() : same_kind(found->type(), type);
    if (!matches)
      return bad_input("{}: expected {}, found {}", name_of(key), Json(type).type_name(), found->type_name());
    return &*found;
  }
  Result<std::string> text(const std::string& key) {
    FOVEA_TRY(const Json* value, required(key, Json::value_t::string));
    return value->get<std::string>();
  }
  Result<std::string> text_or_empty(const std::string& key) {
    FOVEA_TRY(const Json* value, optional(key, Json::value_t::string));
    return value ? value->get<std::string>() : std::string();
  }
  Result<int> integer(const std::string& key, int low, int high) {
    FOVEA_TRY(const Json* value, required(key, Json::value_t::number_integer));
    const auto number = value->get<std::int64_t>();
    if (number < low || number > high)
      return bad_input("{}: expected {} to {}, found {}", name_of(key), low, high, number);
    return static_cast<int>(number);
  }
  Result<std::optional<double>> percent(const std::string& key) {
    FOVEA_TRY(const Json* value, optional(key, Json::value_t::number_float));
    if (!value) return std::optional<double>();
    const auto number = value->get<double>();
    if (!(number >= 0 && number <= 100)) return bad_input("{}: expected a percentage, found {}", name_of(key), number);
    return std::optional<double>(number);
  }
  Status finish() const {
    for (const auto& [key, value] : object_.items())
      if (!asked_.contains(key)) return bad_input("{}: unknown key", name_of(key));
    return {};
  }
  std::string name_of(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

 private:
  static bool same_kind(Json::value_t found, Json::value_t wanted) {
    if (wanted == Json::value_t::number_integer)
      return found == Json::value_t::number_integer || found == Json::value_t::number_unsigned;
    return found == wanted;
  }
  const Json& object_;
  std::string path_;
  std::set<std::string> asked_;
};

Result<std::vector<std::string>> read_aliases(Fields& fields) {
  FOVEA_TRY(const Json* list, fields.required("aliases", Json::value_t::array));
  std::vector<std::string> aliases;
  for (const Json& alias : *list) {
    if (!alias.is_string()) return bad_input("aliases: expected strings, found {}", alias.type_name());
    aliases.push_back(alias.get<std::string>());
  }
  return aliases;
}

Result<std::vector<ModelEntry::File>> read_files(Fields& fields) {
  FOVEA_TRY(const Json* list, fields.required("files", Json::value_t::array));
  if (list->empty()) return bad_input("files: expected at least one");
  std::vector<ModelEntry::File> files;
  for (const Json& item : *list) {
    Fields file(item, fmt::format("files[{}]", files.size()));
    ModelEntry::File result;
    FOVEA_TRY(result.name, file.text("name"));
    FOVEA_TRY(result.sha256, file.text("sha256"));
    FOVEA_RETURN_IF_ERROR(file.finish());
    if (result.name.empty() || result.name.find('/') != std::string::npos)
      return bad_input("{}: expected a file name without folders, found '{}'", file.name_of("name"), result.name);
    const bool hex =
        result.sha256.size() == 64 && result.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!hex) return bad_input("{}: expected 64 lower-case hex digits", file.name_of("sha256"));
    files.push_back(std::move(result));
  }
  return files;
}

Result<ModelEntry::Input> read_input(Fields& fields) {
  FOVEA_TRY(const Json* object, fields.required("input", Json::value_t::object));
  Fields input(*object, "input");
  ModelEntry::Input result;
  FOVEA_TRY(result.name, input.text("name"));
  FOVEA_TRY(result.channels, input.integer("channels", 1, 4));
  FOVEA_TRY(result.height, input.integer("height", 1, 16384));
  FOVEA_TRY(result.width, input.integer("width", 1, 16384));
  FOVEA_RETURN_IF_ERROR(input.finish());
  return result;
}

Result<std::optional<std::array<float, 3>>> read_triple(Fields& fields, const std::string& key) {
  using Triple = std::optional<std::array<float, 3>>;
  FOVEA_TRY(const Json* list, fields.optional(key, Json::value_t::array));
  if (!list) return Triple();
  std::array<float, 3> values{};
  if (list->size() != values.size() ||
      !std::all_of(list->begin(), list->end(), [](const Json& v) { return v.is_number(); }))
    return bad_input("{}: expected 3 numbers", fields.name_of(key));
  for (std::size_t c = 0; c < values.size(); ++c) values[c] = (*list)[c].get<float>();
  return Triple(values);
}

Result<PreprocessOverrides> read_overrides(Fields& source) {
  PreprocessOverrides overrides;
  for (auto [key, target] :
       {std::pair{"preset", &overrides.preset}, std::pair{"resize", &overrides.resize},
        std::pair{"interpolation", &overrides.interpolation}, std::pair{"channel_order", &overrides.channel_order}}) {
    FOVEA_TRY(const Json* value, source.optional(key, Json::value_t::string));
    if (value) *target = value->get<std::string>();
  }
  FOVEA_TRY(const Json* crop, source.optional("crop", Json::value_t::number_integer));
  if (crop) {
    FOVEA_TRY(overrides.crop, source.integer("crop", 0, 16384));
  }
  FOVEA_TRY(overrides.mean, read_triple(source, "mean"));
  FOVEA_TRY(overrides.std, read_triple(source, "std"));
  FOVEA_RETURN_IF_ERROR(source.finish());
  return overrides;
}

Result<Preprocess> read_preprocess(Fields& fields) {
  FOVEA_TRY(const Json* object, fields.required("preprocess", Json::value_t::object));
  Fields source(*object, "preprocess");
  FOVEA_TRY(const std::string preset, source.text("preset"));
  FOVEA_TRY(const PreprocessOverrides overrides, read_overrides(source));
  auto result = apply_overrides({}, overrides);
  if (!result.ok()) return std::move(result).error().within("preprocess");
  return result;
}

Result<std::vector<ModelEntry::Accuracy>> read_accuracy(Fields& fields) {
  FOVEA_TRY(const Json* list, fields.required("accuracy", Json::value_t::array));
  std::vector<ModelEntry::Accuracy> all;
  for (const Json& item : *list) {
    Fields source(item, fmt::format("accuracy[{}]", all.size()));
    ModelEntry::Accuracy result;
    FOVEA_TRY(result.set, source.text("set"));
    FOVEA_TRY(result.images, source.integer("images", 1, 100'000'000));
    FOVEA_TRY(const std::optional<double> top1, source.percent("top1"));
    if (!top1) return bad_input("{}: the key is missing", source.name_of("top1"));
    result.top1 = *top1;
    FOVEA_TRY(result.top5, source.percent("top5"));
    FOVEA_RETURN_IF_ERROR(source.finish());
    all.push_back(std::move(result));
  }
  return all;
}

Status read_texts(Fields& fields, ModelEntry& entry) {
  FOVEA_TRY(entry.name, fields.text("name"));
  FOVEA_TRY(entry.aliases, read_aliases(fields));
  FOVEA_TRY(entry.description, fields.text("description"));
  FOVEA_TRY(entry.precision, fields.text("precision"));
  FOVEA_TRY(entry.source, fields.text("source"));
  FOVEA_TRY(entry.licence, fields.text("licence"));
  FOVEA_TRY(entry.network, fields.text_or_empty("network"));
  FOVEA_TRY(entry.labels, fields.text("labels"));
  FOVEA_TRY(entry.dataset, fields.text("dataset"));
  FOVEA_TRY(entry.notes, fields.text_or_empty("notes"));
  if (entry.precision != "fp32" && entry.precision != "int8-qdq")
    return bad_input("precision: expected fp32 or int8-qdq, found '{}'", entry.precision);
  return {};
}

}  // namespace

Result<ModelEntry> parse_model_entry(std::string_view text) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return bad_input("the file is not JSON");
  Fields fields(json, "");
  ModelEntry entry;
  FOVEA_RETURN_IF_ERROR(read_texts(fields, entry));
  FOVEA_TRY(entry.files, read_files(fields));
  FOVEA_TRY(entry.input, read_input(fields));
  FOVEA_TRY(entry.preprocess, read_preprocess(fields));
  FOVEA_TRY(entry.classes, fields.integer("classes", 1, 1'000'000));
  FOVEA_TRY(entry.label_offset, fields.integer("label_offset", 0, 1));
  FOVEA_TRY(entry.accuracy, read_accuracy(fields));
  FOVEA_TRY(entry.published_top1, fields.percent("published_top1"));
  FOVEA_RETURN_IF_ERROR(fields.finish());
  const ImageSize made = output_size(entry.preprocess), wanted{entry.input.width, entry.input.height};
  if (made != wanted)
    return bad_input("preprocess makes {}x{} images, but the input is {}x{}", made.width, made.height, wanted.width,
                     wanted.height);
  return entry;
}

std::string to_json(const PreprocessOverrides& overrides) {
  Json json = Json::object();
  const auto set = [&json](const char* key, const auto& value) {
    if (value) json[key] = *value;
  };
  set("preset", overrides.preset);
  set("resize", overrides.resize);
  set("crop", overrides.crop);
  set("interpolation", overrides.interpolation);
  set("channel_order", overrides.channel_order);
  set("mean", overrides.mean);
  set("std", overrides.std);
  return json.dump();
}

Result<PreprocessOverrides> parse_preprocess_overrides(std::string_view text) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return bad_input("the text is not JSON");
  Fields fields(json, "");
  return read_overrides(fields);
}

}  // namespace fovea
