// A seeded campaign of mutants: the loop, limits and command line that the ONNX fuzz programs share.
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

// Options: [--count N] [--seed S] [--max-mib M] [--only I] [--save FOLDER]. Mutant I of seed S is always the same:
// --only I runs it alone. The mutant at work lies in FOLDER/<program>-mutant.onnx; after a crash or a complaint it
// stays there. A complaint is also a mutant that takes more than a second of processor time, or memory above M. Returns
// the exit code: 0, 1 after a complaint, 2 for wrong options.
int run_campaign(int argc, char** argv, Treatment treatment);

}  // namespace fovea::fuzz
