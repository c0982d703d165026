// The models that Fovea knows by name, and their labels: the embedded files of zoo/models and zoo/labels.
#pragma once

#include <span>

#include "data/labels.h"
#include "zoo/model_entry.h"

namespace fovea {

inline constexpr std::string_view kDefaultModel = "efficientnet-lite0";

// Sorted by name; the same for the life of the process.
std::span<const ModelEntry> model_catalogue();

// By name or alias, without regard to case. nullptr if there is none.
const ModelEntry* find_model(std::string_view name);
// The entry that has a file of this SHA-256. nullptr if there is none.
const ModelEntry* find_model_by_hash(std::string_view sha256);
// "; did you mean 'resnet50'?", or nothing.
std::string suggest_model(std::string_view name);

// Class names of an embedded set ("imagenet1000", "cifar10"); nullptr for an unknown name.
const Labels* embedded_labels(std::string_view name);

}  // namespace fovea
