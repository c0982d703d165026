#include "import/onnx/operator_table.h"

#include <algorithm>
#include <iterator>

namespace fovea::onnx_import {

#define ONNX_OPERATOR(op, since, until, attributes, mapper) Status mapper(NodeContext&);
#include "import/onnx/operators.inc"
#undef ONNX_OPERATOR

Status map_same(NodeContext& node) { return node.emit(); }

namespace {

constexpr OperatorRow kRows[] = {
#define ONNX_OPERATOR(op, since, until, attributes, mapper) {#op, since, until, attributes, mapper},
#include "import/onnx/operators.inc"
#undef ONNX_OPERATOR
};

}  // namespace

std::span<const OperatorRow> operator_table() { return kRows; }

const OperatorRow* find_operator(std::string_view op, int opset) {
  for (const OperatorRow& row : kRows)
    if (row.op == op && row.since <= opset && opset <= row.until) return &row;
  return nullptr;
}

std::string readable_opsets(std::string_view op) {
  int first = kLastOpset + 1, last = 0;
  for (const OperatorRow& row : kRows)
    if (row.op == op) {
      first = std::min(first, row.since);
      last = std::max(last, row.until);
    }
  return last == 0 ? "" : fmt::format("{} to {}", first, last);
}

}  // namespace fovea::onnx_import
