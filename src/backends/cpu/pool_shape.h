// The geometry of a pool with every extent known, as the pooling tactics need it.
#pragma once

#include "kernels/pool/pool.h"
#include "plan/tactic.h"

namespace fovea::cpu {

// Windows of MaxPool, AveragePool and FusedQAveragePool on images of rank 4; with attribute `global` one window as
// large as the image. The error is the reason why no kernel applies: another rank, an empty image, an extent beyond
// int.
Result<kernels::PoolShape> read_pool_shape(const TacticQuery& query);

}  // namespace fovea::cpu
