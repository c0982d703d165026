// Which TensorFlow operators can be read, and how.
#pragma once

#include "import/tensorflow/node_context.h"

namespace fovea::tensorflow_import {

// Maps one node to canonical nodes. The attributes and the number of inputs have been checked against the row.
using Mapper = Status (*)(NodeContext&);

struct OperatorRow {
  std::string_view op;
  int min_inputs, max_inputs;   // max -1: any number
  std::string_view attributes;  // what AttributeReader::check() is to expect
  Mapper map;
};

const OperatorRow* find_operator(std::string_view op);  // nullptr if it cannot be read

}  // namespace fovea::tensorflow_import
