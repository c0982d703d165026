// Selection: which tactic runs a node. The one place that compares tactics.
#pragma once

#include "plan/plan.h"

namespace fovea {

struct Selection {
  const Tactic* tactic = nullptr;   // null: none applies
  Decision decision;
};

// Asks every tactic for the node's operator in every backend; the cheapest that applies wins, ties go to the earlier
// one, and a later backend has to be cheaper by a quarter. What takes long to answer (Tactic::confirm) is asked only of
// those that are better than all before them, unless `options` wants it of all.
Selection select_tactic(const TacticQuery& query, std::span<const Backend* const> backends, const PlanOptions& options);

}  // namespace fovea
