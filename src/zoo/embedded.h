// The files of zoo/models and zoo/labels, compiled into the library (see cmake/fovea_embed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace fovea {

struct EmbeddedFile {
  std::string_view name;  // path under zoo/: "models/resnet50.json"
  std::string_view content;
};

// Sorted by name. The bytes live as long as the process.
std::span<const EmbeddedFile> embedded_files();

}  // namespace fovea
