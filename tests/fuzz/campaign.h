// A seeded campaign of mutants: the loop, limits and command line that the fuzz programs of model files share.
#pragma once

#include <map>
#include <string>

#include "tests/fuzz/onnx_mutator.h"

namespace fovea::fuzz {

// How many mutants came how far, by the name of the stage.
using Counts = std::map<std::string, std::uint64_t>;

// Treats one mutant and says what was wrong, or nothing. Errors that the library returns are right; exceptions are not
// (the campaign catches them).
using Treatment = std::string (*)(const Bytes& mutant, Rng& rng, Counts& counts);

// What is mutated, and how.
struct Format {
  const char* extension;  // of the file that keeps a mutant
  std::vector<Seed> (*seeds)();
  Bytes (*mutate)(const std::vector<Seed>& seeds, std::size_t index, Rng& rng);
};
inline constexpr Format kOnnx{"onnx", onnx_seeds, mutate_onnx};

// Options: [--count N] [--seed S] [--max-mib M] [--only I] [--save FOLDER]. Mutant I of seed S is always the same:
// --only I runs it alone. The mutant at work lies in FOLDER/<program>-mutant.<extension>; after a crash or a complaint
// it stays there. A complaint is also a mutant that takes more than a second of processor time, or memory above M.
// Returns the exit code: 0, 1 after a complaint, 2 for wrong options.
int run_campaign(int argc, char** argv, Treatment treatment, const Format& format = kOnnx);

}  // namespace fovea::fuzz
