// Declares the functions behind every row of tactics.inc.
#pragma once

#include "plan/tactic.h"

namespace fovea::onednn {

#define TACTIC(name, op, stem)                      \
  Verdict applies_##stem(const TacticQuery&);       \
  TacticLayouts layouts_##stem(const TacticQuery&); \
  Verdict confirm_##stem(const TacticQuery&);       \
  double cost_##stem(const TacticQuery&);           \
  Result<std::unique_ptr<Step>> build_##stem(const TacticQuery&);
#include "backends/onednn/tactics.inc"
#undef TACTIC

}  // namespace fovea::onednn
