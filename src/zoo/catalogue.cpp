#include "zoo/catalogue.h"

#include <algorithm>
#include <map>

#include "base/suggest.h"
#include "zoo/embedded.h"

namespace fovea {
namespace {

// Entries are part of the program: one that cannot be read is a bug, not an input error.
std::vector<ModelEntry> parse_catalogue() {
  std::vector<ModelEntry> entries;
  for (const EmbeddedFile& file : embedded_files()) {
    if (!file.name.starts_with("models/")) continue;
    auto entry = parse_model_entry(file.content);
    if (!entry.ok()) throw CheckFailure(fmt::format("zoo/{} › {}", file.name, entry.error().text()));
    entries.push_back(std::move(entry).value());
  }
  std::sort(entries.begin(), entries.end(), [](const ModelEntry& a, const ModelEntry& b) { return a.name < b.name; });
  return entries;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool answers_to(const ModelEntry& entry, std::string_view name) {
  return equal_ignoring_case(entry.name, name) ||
         std::any_of(entry.aliases.begin(), entry.aliases.end(),
                     [&](const std::string& alias) { return equal_ignoring_case(alias, name); });
}

}  // namespace

std::span<const ModelEntry> model_catalogue() {
  static const std::vector<ModelEntry> entries = parse_catalogue();
  return entries;
}

const ModelEntry* find_model(std::string_view name) {
  for (const ModelEntry& entry : model_catalogue())
    if (answers_to(entry, name)) return &entry;
  return nullptr;
}

const ModelEntry* find_model_by_hash(std::string_view sha256) {
  for (const ModelEntry& entry : model_catalogue())
    for (const ModelEntry::File& file : entry.files)
      if (file.sha256 == sha256) return &entry;
  return nullptr;
}

std::string suggest_model(std::string_view name) {
  std::vector<std::string> names;
  for (const ModelEntry& entry : model_catalogue()) names.push_back(entry.name);
  return did_you_mean(name, names);
}

const Labels* embedded_labels(std::string_view name) {
  static const auto all = [] {
    std::map<std::string, Labels, std::less<>> sets;
    for (const EmbeddedFile& file : embedded_files())
      if (file.name.starts_with("labels/") && file.name.ends_with(".txt"))
        sets.emplace(file.name.substr(7, file.name.size() - 11), parse_labels(file.content).value());
    return sets;
  }();
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

}  // namespace fovea
