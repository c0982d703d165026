// The text form of a graph: what tests of passes are written in and what `fovea inspect --text` prints.
//
//   graph tiny
//   input x: f32[N,3,8,8]
//   const w: f32[8,3,3,3] = seed(1)
//   const b: f32[2] = {0.5, -1}
//   y: f32[N,8,8,8] = Conv(x, w) {pads=[1,1,1,1], group=1, auto_pad="NOTSET"}   # node name after '@': Conv@stem(x, w)
//   a, b2 = Split@s(y, _) {axis=1}                                              # '_' is an omitted input or output
//   output y
//   output probs = a
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace fovea {

struct TextOptions {
  bool constant_values = false;  // print the elements of constants up to 16 elements; larger ones as sha(<8 hex>)
  bool layouts = false;          // print "channels_last" behind a value's type
};
// One line a live node in topological order; constants and inputs that nothing uses are left out.
std::string to_text(const Graph& graph, const TextOptions& options = {});

// "[1,2]", "0.5", "\"NOTSET\"": as the text form writes an attribute.
std::string attribute_text(const Attribute& attribute);

// The inverse; constants may be `= {v, …}`, `= splat(v)`, `= seed(n)` (normal, scaled by 1/sqrt(fan-in)) or `= zeros`.
// An error names the line. Types of node outputs may be left out.
Result<Graph> parse_graph(std::string_view text);

}  // namespace fovea
