// What a model file may ask for. Every limit is checked before memory is set aside for the thing it limits.
#pragma once

#include <cstdint>

namespace fovea {

struct ImportLimits {
  std::int64_t file_bytes = (std::int64_t{1} << 31) - 1;  // protobuf cannot read more; also after inflation
  double inflate_ratio = 100;                             // of .onnx.gz, once the result exceeds inflate_free_bytes
  std::int64_t inflate_free_bytes = std::int64_t{64} << 20;
  std::int64_t message_bytes = std::int64_t{4} << 30;  // estimated memory of the parsed message
  int message_depth = 90;                              // of messages within messages
  std::int64_t nodes = 1'000'000;
  std::int64_t ports = 4096;  // graph inputs, and graph outputs
  std::int64_t name_bytes = 64 << 10;
  std::int64_t constant_bytes = std::int64_t{16} << 30;  // of all constants together
  std::int64_t repeated_bytes = std::int64_t{64} << 20;  // of constants that a file gives as one repeated element
};

}  // namespace fovea
