// MeasuredCosts: what tactics really took, by the kind of node, for choosing among them.
#pragma once

#include <map>
#include <string>

#include "plan/tactic.h"

namespace fovea {

// Key of a node -> tactic -> microseconds of one run.
using MeasuredCosts = std::map<std::string, std::map<std::string, double, std::less<>>>;

// The kind of a node: operator, attributes, types and orders of operands and results, which of them are constant, how
// exact its products must be; neither names nor elements. Nodes of one kind take the same time.
std::string tuning_key(const TacticQuery& query);

}  // namespace fovea
