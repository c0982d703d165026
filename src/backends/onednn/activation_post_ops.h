// Fused activations as oneDNN's post-operations.
#pragma once

#include "backends/onednn/library.h"
#include "ops/activation.h"

namespace fovea::onednn {

// Appends y = activation(y). Every kind of Activation has a form; kNone appends nothing.
void append_activation(const Activation& activation, dnnl::post_ops& post_ops);

}  // namespace fovea::onednn
