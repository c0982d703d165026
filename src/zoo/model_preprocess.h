// How a model's pre-processing is put together: a preset, what the model or the user changes, and the network's input
// size.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "data/preprocess.h"

namespace fovea {

// Unset means: as it was.
struct PreprocessOverrides {
  std::optional<std::string> preset;  // a name of data/preprocess.h; replaces everything before the others apply
  std::optional<std::string> resize;  // "none", "shorter:256", "exact"…
  std::optional<int> crop;            // side of the centre crop; 0: none
  std::optional<std::string> interpolation;
  std::optional<std::array<float, 3>> mean, std;  // in the order of the channels as the network gets them
  std::optional<std::string> channel_order;       // "rgb", "bgr"
  bool any() const;
};

// Usage errors for values that mean nothing.
Result<Preprocess> apply_overrides(Preprocess base, const PreprocessOverrides& overrides);

// Fits sizes to a network with another input: the crop becomes `input`, the resize keeps its ratio to the crop.
Preprocess fit_to_input(Preprocess p, ImageSize input);

}  // namespace fovea
