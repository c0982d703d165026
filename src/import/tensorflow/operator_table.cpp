#include "import/tensorflow/operator_table.h"

namespace fovea::tensorflow_import {

#define TENSORFLOW_OPERATOR(op, min_inputs, max_inputs, attributes, mapper) Status mapper(NodeContext&);
#include "import/tensorflow/operators.inc"
#undef TENSORFLOW_OPERATOR

namespace {

constexpr OperatorRow kRows[] = {
#define TENSORFLOW_OPERATOR(op, min_inputs, max_inputs, attributes, mapper) \
  {#op, min_inputs, max_inputs, attributes, mapper},
#include "import/tensorflow/operators.inc"
#undef TENSORFLOW_OPERATOR
};

}  // namespace

const OperatorRow* find_operator(std::string_view op) {
  for (const OperatorRow& row : kRows)
    if (row.op == op) return &row;
  return nullptr;
}

}  // namespace fovea::tensorflow_import
