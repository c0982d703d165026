// Seed models and mutations for the fuzzing of the ONNX importer.
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/rng.h"

namespace fovea::fuzz {

using Bytes = std::vector<std::byte>;

struct Seed {
  std::string name;
  Bytes bytes;
};

// Small models made here that together hold most operators, in new and old forms; and, where the shared test data is
// present, the two smallest real models.
std::vector<Seed> onnx_seeds();

// A mutant of one of the seeds: bits, bytes, lengths and splices of the serialised form, or fields of the parsed
// message (extents, element types, attributes, names, counts). Reproducible from the state of `rng`.
Bytes mutate_onnx(const std::vector<Seed>& seeds, std::size_t index, Rng& rng);

// The same for any protobuf format: `scratch` is parsed into, and `names_of` gives the names that a message refers to
// by text.
Bytes mutate_message(const std::vector<Seed>& seeds, std::size_t index, Rng& rng, google::protobuf::Message& scratch,
                     std::vector<std::string> (*names_of)(const google::protobuf::Message&));

}  // namespace fovea::fuzz
