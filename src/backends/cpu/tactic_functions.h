// Declares the functions behind every row of tactics.inc.
#pragma once

#include "plan/tactic.h"

namespace fovea::cpu {

#define TACTIC(name, op)                                                \
  struct name {                                                         \
    static Verdict applies(const TacticQuery& query);                   \
    static TacticLayouts layouts(const TacticQuery& query);             \
    static double cost_us(const TacticQuery& query);                    \
    static Result<std::unique_ptr<Step>> build(const TacticQuery& query); \
  };
#define ALSO(name, op)
#include "backends/cpu/tactics.inc"
#undef TACTIC
#undef ALSO

}  // namespace fovea::cpu
