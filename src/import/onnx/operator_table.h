// Which ONNX operators can be read, from which opset to which, and how.
#pragma once

#include "import/onnx/node_context.h"

namespace fovea::onnx_import {

inline constexpr int kFirstFullOpset = 7;  // older ones only where every operator of a model has a row for them
inline constexpr int kLastOpset = 21;

// Maps one node to canonical nodes. The attributes have been checked against the row.
using Mapper = Status (*)(NodeContext&);

Status map_same(NodeContext& node);  // the operator has the same form today

struct OperatorRow {
  std::string_view op;
  int since, until;             // opsets, both included
  std::string_view attributes;  // what decode_attributes() is to expect
  Mapper map;
};

std::span<const OperatorRow> operator_table();
const OperatorRow* find_operator(std::string_view op, int opset);  // nullptr if it cannot be read at that opset
// The opsets at which the operator can be read, "7 to 21"; empty if at none.
std::string readable_opsets(std::string_view op);

}  // namespace fovea::onnx_import
