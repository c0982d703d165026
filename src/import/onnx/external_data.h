// External tensor data: files beside the model, mapped read-only, never from outside the model's folder.
#pragma once

#include <onnx/onnx_pb.h>

#include <map>

#include "import/onnx/import_onnx.h"

namespace fovea::onnx_import {

// A mapped range; `keep_alive` owns the mapping.
struct MappedRange {
  const std::byte* data = nullptr;
  std::shared_ptr<const void> keep_alive;
};

// Each file is mapped once. A location must be a relative path without "..", every part of it a real folder or (last)
// a regular file with one name: symbolic links are refused at every step, so the file lies inside the model's folder
// whatever happens to the file system meanwhile.
class ExternalFiles {
 public:
  // `folder` of the model; empty where there is none, which makes every range() an error.
  explicit ExternalFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // The `bytes` bytes that the entries (location, offset, length) of `tensor` stand for.
  Result<MappedRange> range(const onnx::TensorProto& tensor, std::int64_t bytes);

 private:
  struct Mapping {
    std::shared_ptr<const void> keep_alive;
    const std::byte* data = nullptr;
    std::int64_t size = 0;
  };
  Result<Mapping> map(const std::string& location);

  std::filesystem::path folder_;
  std::map<std::string, Mapping> mappings_;
};

}  // namespace fovea::onnx_import
