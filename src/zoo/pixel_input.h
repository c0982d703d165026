// A network that takes pixels: its pre-processing after the crop as a part of the graph, where the planner folds it
// into the first convolution.
#pragma once

#include "zoo/load_model.h"

namespace fovea {

// Turns the one f32 image input of the model into u8 pixels [N,3,H,W] of the same name and puts the arithmetic of
// model.preprocess (divisor, mean, std, each operation rounded as pre-processing does) behind it; model.preprocess then
// delivers the pixels. A quantised network gives the same bytes as before, one in floats differs in the last places.
// Errors: no such input, pre-processing that delivers pixels already, or one whose resize
// gives fractions of them.
Status use_pixel_input(LoadedModel& model);

}  // namespace fovea
