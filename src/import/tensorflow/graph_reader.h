// GraphReader: from a parsed GraphDef to a graph.
#pragma once

#include "import/tensorflow/operator_table.h"

namespace fovea::tensorflow_import {

// Takes the message apart. One use.
class GraphReader {
 public:
  GraphReader(tf::GraphDef& file, const TensorflowOptions& options, std::string graph_name);
  Result<Graph> read() &&;

 private:
  // Lists every operator on the way to the outputs that has no row in the table.
  Status check_operators() const;
  Status read_cuts();
  // An input of the graph; `given` is the shape that the user has named.
  Status add_input(const Port& port, const std::string& name, const std::optional<Shape>& given);
  Status read_nodes();
  Status read_node(int index);
  Status read_outputs();
  void read_metadata();

  tf::GraphDef& file_;
  const TensorflowOptions& options_;
  ValueStore store_;
  NodeIndex index_;
  Selection selection_;
  std::string turned_inputs_;  // names of inputs whose images have become channels first
};

}  // namespace fovea::tensorflow_import
