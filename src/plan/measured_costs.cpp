#include "plan/measured_costs.h"

#include "graph/text.h"

namespace fovea {

std::string tuning_key(const TacticQuery& query) {
  const auto describe = [&](ValueId id) -> std::string {
    if (id == kNoValue) return "_";
    const Value& value = query.graph.value(id);
    return fmt::format("{}{}{}", value.is_constant() ? "const " : "", value.type.text(),
                       value.layout == Layout::kRowMajor ? "" : fmt::format(" {}", layout_name(value.layout)));
  };
  std::string operands, results, attributes;
  for (ValueId v : query.node.inputs) operands += (operands.empty() ? "" : ", ") + describe(v);
  for (ValueId v : query.node.outputs) results += (results.empty() ? "" : ", ") + describe(v);
  for (const auto& [name, attribute] : query.node.attributes)
    attributes += fmt::format("{}{}={}", attributes.empty() ? "" : ", ", name, attribute_text(attribute));
  const char* math = query.math == Math::kBf16Products ? " bf16 products" : "";
  return fmt::format("{}({}) {{{}}} -> {}{}", query.node.op, operands, attributes, results, math);
}

}  // namespace fovea
