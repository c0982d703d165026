// Suggestions for mistyped names: the nearest known word by edit distance. For models, flags, commands, operators.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal string alignment;
// Damerau, "A technique for computer detection and correction of spelling errors", 1964), without regard to case. Words
// longer than 64 bytes are compared by their first 64.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Up to `count` candidates that `word` may have been meant to be, the likeliest first; ties keep the order of
// `candidates`. A candidate qualifies if it is within a third of the word's length (at least 1, at most 4 edits) or if
// the word is a prefix of it of at least 3 letters.
std::vector<std::string> suggestions(std::string_view word, std::span<const std::string> candidates,
                                     std::size_t count = 3);

// The tail of an error message: "; did you mean 'resnet50' or 'resnet18'?", or nothing if no candidate is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace fovea
