#include "plan/selection.h"

#include <algorithm>

namespace fovea {
namespace {

bool is_excluded(const Backend& backend, const Tactic& tactic, const PlanOptions& options) {
  return std::any_of(options.exclude.begin(), options.exclude.end(), [&](const std::string& name) {
    return name == backend.name() || name == tactic.name;
  });
}

// A backend further down the list must promise this much more speed: its steps wrap a library that allocates while it
// runs and knows nothing of the neighbouring steps, and estimates are not exact.
constexpr double kGainToLeaveTheFirst = 1.25;

}  // namespace

Selection select_tactic(const TacticQuery& query, std::span<const Backend* const> backends,
                        const PlanOptions& options) {
  Selection out;
  out.decision.node = query.node.name;
  out.decision.op = query.node.op;
  double best = 0;
  bool best_is_forced = false;
  for (const Backend* backend : backends) {
    for (const Tactic& tactic : backend->tactics()) {
      if (tactic.op != query.node.op && tactic.op != "*") continue;
      Candidate candidate{std::string(tactic.name), false, "", 0};
      Verdict verdict = is_excluded(*backend, tactic, options) ? Verdict::no("excluded by request") : tactic.applies(query);
      candidate.applies = verdict.applies;
      candidate.reason = std::move(verdict.reason);
      if (candidate.applies) {
        candidate.cost_us = tactic.cost_us(query);
        const bool forced = !options.force_tactic.empty() && tactic.name.starts_with(options.force_tactic);
        const double margin = out.decision.backend == backend->name() ? 1.0 : kGainToLeaveTheFirst;
        const bool better = !out.tactic || (forced && !best_is_forced) ||
                            (forced == best_is_forced && candidate.cost_us * margin < best);
        if (better) {
          out.tactic = &tactic;
          out.decision.chosen = tactic.name;
          out.decision.backend = backend->name();
          best = candidate.cost_us;
          best_is_forced = forced;
        }
      }
      out.decision.candidates.push_back(std::move(candidate));
    }
  }
  return out;
}

}  // namespace fovea
