// Turns ops.inc into the table of OpSpecs.
#include <algorithm>
#include <iterator>

#include "ops/op_functions.h"
#include "ops/op_spec.h"

namespace fovea {
namespace {

constexpr OpSpec kOps[] = {
#define OP(name, stem, min_in, max_in, min_out, max_out) \
  {#name, min_in, max_in, min_out, max_out, ops::infer_##stem, ops::evaluate_##stem, ops::macs_##stem},
#define OP_FREE(name, stem, min_in, max_in, min_out, max_out) \
  {#name, min_in, max_in, min_out, max_out, ops::infer_##stem, ops::evaluate_##stem, nullptr},
#include "ops/ops.inc"
#undef OP
#undef OP_FREE
    {"", 0, 0, 0, 0, nullptr, nullptr, nullptr}};  // keeps the array non-empty

}  // namespace

std::span<const OpSpec> op_table() { return {kOps, std::size(kOps) - 1}; }

const OpSpec* find_op(std::string_view name) {
  static const auto sorted = [] {
    std::vector<const OpSpec*> rows;
    for (const OpSpec& op : op_table()) rows.push_back(&op);
    std::sort(rows.begin(), rows.end(), [](const OpSpec* a, const OpSpec* b) { return a->name < b->name; });
    return rows;
  }();
  const auto found = std::lower_bound(sorted.begin(), sorted.end(), name,
                                      [](const OpSpec* op, std::string_view n) { return op->name < n; });
  return found != sorted.end() && (*found)->name == name ? *found : nullptr;
}

}  // namespace fovea
