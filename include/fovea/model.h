// Model: a network read by name or from a file, with what is known of it; and the models known by name.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fovea/array.h"

namespace fovea {

struct LoadSettings {
  std::vector<std::string> folders;   // looked into first, before FOVEA_MODELS and the caches
  bool synthetic_if_missing = false;  // seeded random weights where a named model's file is not found
  std::uint64_t seed = 1;             // of synthetic weights
  std::string preprocess;             // a named preset instead of the model's own pre-processing; empty: the model's
  std::optional<int> label_offset;    // 1 where the network's class 0 is the background
  std::string labels_file;            // class names, one a line; empty: the model's
};

// One input or output.
struct Port {
  std::string name;
  ElementType type = ElementType::kF32;
  std::vector<std::int64_t> dims;          // -1 where the model leaves an extent open
  AxisOrder order = AxisOrder::kRowMajor;  // of compiled models; row-major for a Model
};

// Immutable and cheap to copy: copies share the weights. Thread-safe.
class FOVEA_API Model {
 public:
  // `name_or_path`: a name of known_models(), or an .onnx or .onnx.gz file. Throws kUsage for an unknown name (with the
  // nearest suggestion), kBadInput for a file that cannot be read, kUnsupported for operators that Fovea lacks.
  static Model load(const std::string& name_or_path, const LoadSettings& settings = {});

  std::string name() const;
  std::string path() const;    // of the file that was read; empty for synthetic weights
  std::string sha256() const;  // of that file
  bool synthetic() const;      // random weights: speed is real, answers mean nothing
  std::vector<Port> inputs() const;
  std::vector<Port> outputs() const;
  std::vector<std::string> notices() const;  // what a user should be told, such as assumptions made

  struct Impl;
  const std::shared_ptr<const Impl>& impl() const { return impl_; }  // for the library's own use

 private:
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// Names that Model::load knows, sorted. Their files may still have to be provided.
FOVEA_API std::vector<std::string> known_models();

}  // namespace fovea
