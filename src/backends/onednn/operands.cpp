#include "backends/onednn/operands.h"

namespace fovea::onednn {
namespace {

Verdict check_value(const Value& value) {
  if (!is_supported(value.type.dtype))
    return Verdict::no("{} is {}, oneDNN is used for f32 and bf16", value.name, dtype_name(value.type.dtype));
  if (!value.type.shape.is_fixed()) return Verdict::no("{} has open extents {}", value.name, value.type.shape.text());
  if (count_of(value) == 0) return Verdict::no("{} is empty", value.name);
  return Verdict::yes();
}

}  // namespace

Verdict check_activations(const TacticQuery& query) {
  bool bf16 = false;
  const auto check = [&](const Value& value) {
    bf16 = bf16 || value.type.dtype == DType::kBf16;
    return check_value(value);
  };
  for (int i = 0; i < static_cast<int>(query.node.inputs.size()); ++i) {
    if (!query.has(i) || query.input(i).is_constant()) continue;
    if (const Verdict verdict = check(query.input(i)); !verdict.applies) return verdict;
  }
  if (const Verdict verdict = check(query.output()); !verdict.applies) return verdict;
  for (std::size_t i = 1; i < query.node.outputs.size(); ++i)
    if (query.node.outputs[i] != kNoValue) return Verdict::no("output {} is wanted too", i);
  return check_cpu(query, bf16);
}

std::int64_t count_of(const Value& value) { return element_count(*value.type.shape.fixed()); }

TacticLayouts channels_last_layouts(const TacticQuery& query) { return uniform_layouts(query, Layout::kChannelsLast); }

}  // namespace fovea::onednn
