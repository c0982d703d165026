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

// How good a candidate is: what was asked for by name first, then what was measured, then the lower cost.
struct Rank {
  bool forced = false, measured = false;
  double cost_us = 0;
};

bool is_better(const Rank& a, const Rank& best, double margin) {
  if (a.forced != best.forced) return a.forced;
  if (a.measured != best.measured) return a.measured;
  return a.cost_us * (a.measured ? 1.0 : margin) < best.cost_us;
}

// What the tactics took on nodes of this kind, if that is known.
const std::map<std::string, double, std::less<>>* measured_costs(const TacticQuery& query, const PlanOptions& options) {
  if (!options.measured || options.measured->empty()) return nullptr;
  const auto found = options.measured->find(tuning_key(query));
  return found == options.measured->end() ? nullptr : &found->second;
}

bool is_forced(const TacticQuery& query, const Tactic& tactic, const PlanOptions& options) {
  if (const auto pin = options.pinned.find(query.node.name); pin != options.pinned.end()) return pin->second == tactic.name;
  return !options.force_tactic.empty() && tactic.name.starts_with(options.force_tactic);
}

// Whether a tactic comes into question; the last word of one that would win is its confirm().
Verdict first_verdict(const TacticQuery& query, const Backend& backend, const Tactic& tactic,
                      const PlanOptions& options) {
  if (is_excluded(backend, tactic, options)) return Verdict::no("excluded by request");
  return options.confirm_all ? tactic.check(query) : tactic.applies(query);
}

void note(Verdict verdict, Candidate& candidate) {
  candidate.applies = verdict.applies;
  candidate.reason = std::move(verdict.reason);
}

}  // namespace

Selection select_tactic(const TacticQuery& query, std::span<const Backend* const> backends,
                        const PlanOptions& options) {
  Selection out;
  out.decision.node = query.node.name;
  out.decision.op = query.node.op;
  const auto* measured = measured_costs(query, options);
  Rank best;
  for (const Backend* backend : backends) {
    for (const Tactic& tactic : backend->tactics()) {
      if (tactic.op != query.node.op && tactic.op != "*") continue;
      Candidate candidate{std::string(tactic.name)};
      note(first_verdict(query, *backend, tactic, options), candidate);
      if (candidate.applies) {
        Rank rank{is_forced(query, tactic, options), false, tactic.cost_us(query)};
        candidate.estimate_us = rank.cost_us;
        if (measured) {
          if (const auto found = measured->find(tactic.name); found != measured->end()) {
            rank.measured = candidate.measured = true;
            rank.cost_us = found->second;
          }
        }
        candidate.cost_us = rank.cost_us;
        const double margin = out.decision.backend == backend->name() ? 1.0 : kGainToLeaveTheFirst;
        const bool wins = !out.tactic || is_better(rank, best, margin);
        if (wins && tactic.confirm && !options.confirm_all) note(tactic.confirm(query), candidate);
        if (wins && candidate.applies) {
          out.tactic = &tactic;
          out.decision.chosen = tactic.name;
          out.decision.backend = backend->name();
          out.decision.measured = rank.measured;
          best = rank;
        }
      }
      out.decision.candidates.push_back(std::move(candidate));
    }
  }
  return out;
}

}  // namespace fovea
