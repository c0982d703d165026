// Placement: which tensors of a network are stored in 8 bits, which of them share a scale, and which layers compute in
// integers.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace fovea::quant {

struct PlacementOptions {
  std::set<std::string> keep_float;  // nodes that stay in floats
};

struct Placement {
  // A tensor that gets QuantizeLinear and DequantizeLinear.
  struct Tensor {
    ValueId value = kNoValue;
    int group = 0;         // tensors of one group have one scale and zero point
    bool observed = true;  // false: its elements come from other tensors of the group, whose range decides
  };
  // A Conv, Gemm or MatMul with constant weights, in integers.
  struct Product {
    NodeId node = kNoNode;
    ValueId x = kNoValue;  // one of the tensors
    int filter_axis = 0;   // of the weights, the second input
    std::int64_t filters = 0;
  };
  std::vector<Tensor> tensors;    // in the order in which they are computed
  std::vector<Product> products;  // likewise
  int groups = 0;

  const Tensor* find(ValueId value) const;  // nullptr: not quantised
};

// For a portable graph (after the portable passes: batch norms folded). The network between its inputs and its last
// convolution or matrix product lives in 8 bits:
// - the data input of every product, pool, Add, Mul, Concat, element-wise operator and of what only moves elements
//   (Reshape, Flatten, Transpose, Slice…) is quantised, so far as a product comes behind it;
// - nothing is quantised between a product and its activation, nor between the product that ends a residual block and
//   the Add (of two such products, the later one), nor inside a chain of element-wise operators;
// - what only moves or selects elements keeps its input's scale; the operands and the result of Concat share one;
// - behind what stays in floats, only a product (or a Concat with others) quantises again;
// - results of the last products, and what is computed of them, stay in floats.
// Errors: a graph that is quantised already (usage), keep_float names that no node has (usage, with a suggestion).
Result<Placement> place_quantisation(const Graph& graph, const PlacementOptions& options = {});

}  // namespace fovea::quant
