// From a node's activation attributes to what kernels take.
#pragma once

#include "kernels/epilogue.h"
#include "ops/activation.h"

namespace fovea::cpu {

kernels::Epilogue epilogue_of(const Activation& activation);

}  // namespace fovea::cpu
