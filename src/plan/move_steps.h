// The steps that a plan adds by itself: copies and changes of physical order.
#pragma once

#include "plan/tactic.h"

namespace fovea {

// True if both orders are the same bytes: rank < 3, or one channel, or one pixel.
bool same_bytes(const Dims& dims, Layout a, Layout b);

// Copies input 0 to output 0, changing the order where they differ.
std::unique_ptr<Step> make_reorder_step(DType dtype, Dims dims, Layout from, Layout to);

}  // namespace fovea
