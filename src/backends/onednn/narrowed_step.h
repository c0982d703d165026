// A Step whose first input is rounded from f32 to bf16 before another Step reads it: factors in bfloat16, the rest in
// f32.
#pragma once

#include "plan/tactic.h"

namespace fovea::onednn {

// Whether a product of this query, whose left factor is its first input, is to be computed of bf16 factors although its
// operands are f32 (Math::kBf16Products): the library's own mode for that (fpmath_mode) exists for AMX only and skips
// many shapes, rounding by oneself gives the same numbers on every CPU that multiplies bf16.
bool narrows_factors(const TacticQuery& query);

// `step` reads its first input as bf16; the new one as `elements` of f32, which it rounds to nearest even on the team.
// The rounded copy lies in the workspace.
std::unique_ptr<Step> make_narrowed_step(std::unique_ptr<Step> step, std::int64_t elements);

// What the rounding adds to an estimate, in microseconds, of one image.
double narrowing_us(const TacticQuery& query);

}  // namespace fovea::onednn
