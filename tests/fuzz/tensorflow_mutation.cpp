// Feeds mutants of small GraphDefs to the importer and, where they are accepted, to the ONNX writer and the reference
// evaluation. Options: campaign.h.
#include <google/protobuf/text_format.h>

#include <cstring>

#include "import/tensorflow/graph_def.pb.h"
#include "import/tensorflow/import_tensorflow.h"
#include "tests/fuzz/campaign.h"
#include "tests/fuzz/imported_graph.h"

namespace fovea::fuzz {
namespace {

namespace tf = fovea::tensorflow;

// Builds the seeds: nodes with their attributes in protobuf's text format.
class Maker {
 public:
  Maker& node(const char* name, const char* op, std::initializer_list<const char*> inputs,
              const char* attributes = "") {
    tf::NodeDef& n = *graph_.add_node();
    if (!google::protobuf::TextFormat::ParseFromString(attributes, &n)) throw CheckFailure(attributes);
    n.set_name(name);
    n.set_op(op);
    for (const char* input : inputs) n.add_input(input);
    return *this;
  }
  Maker& input(const char* name, std::initializer_list<int> dims) {
    node(name, "Placeholder", {},
         "attr { key: 'dtype' value { type: DT_FLOAT } } attr { key: 'shape' value { shape { } } }");
    for (int d : dims) last().mutable_attr(1)->mutable_value()->mutable_shape()->add_dim()->set_size(d);
    return *this;
  }
  Maker& floats(const char* name, std::initializer_list<int> dims, std::initializer_list<float> values) {
    tf::TensorValue& t = constant(name, tf::DT_FLOAT, dims);
    for (float v : values) t.add_float_val(v);
    return *this;
  }
  Maker& integers(const char* name, std::initializer_list<int> dims, std::initializer_list<int> values,
                  tf::DataType type = tf::DT_INT32) {
    tf::TensorValue& t = constant(name, type, dims);
    for (int v : values) t.add_int_val(v);
    return *this;
  }
  Seed done(const char* name) const {
    const std::string text = graph_.SerializeAsString();
    Seed seed{name, Bytes(text.size())};
    std::memcpy(seed.bytes.data(), text.data(), text.size());
    return seed;
  }

 private:
  tf::NodeDef& last() { return *graph_.mutable_node(graph_.node_size() - 1); }
  tf::TensorValue& constant(const char* name, tf::DataType type, std::initializer_list<int> dims) {
    node(name, "Const", {}, "attr { key: 'value' value { tensor { } } }");
    tf::TensorValue& t = *last().mutable_attr(0)->mutable_value()->mutable_tensor();
    t.set_dtype(type);
    t.mutable_tensor_shape();
    for (int d : dims) t.mutable_tensor_shape()->add_dim()->set_size(d);
    return t;
  }
  tf::GraphDef graph_;
};

constexpr const char* kSame =
    "attr { key: 'strides' value { list { i: [1, 2, 2, 1] } } } attr { key: 'padding' value { s: 'SAME' } } "
    "attr { key: 'data_format' value { s: 'NHWC' } } attr { key: 'dilations' value { list { i: [1, 1, 1, 1] } } }";
constexpr const char* kExplicit =
    "attr { key: 'strides' value { list { i: [1, 1, 1, 1] } } } attr { key: 'padding' value { s: 'EXPLICIT' } } "
    "attr { key: 'explicit_paddings' value { list { i: [0, 0, 1, 1, 1, 1, 0, 0] } } }";
constexpr const char* kPool =
    "attr { key: 'ksize' value { list { i: [1, 2, 2, 1] } } } attr { key: 'strides' value { list { i: [1, 1, 1, 1] } } "
    "} "
    "attr { key: 'padding' value { s: 'VALID' } }";
constexpr const char* kScaled = "attr { key: 'T' value { type: DT_QINT8 } } attr { key: 'mode' value { s: 'SCALED' } }";
constexpr const char* kQuantisedConv =
    "attr { key: 'strides' value { list { i: [1, 1, 1, 1] } } } attr { key: 'padding' value { s: 'SAME' } } "
    "attr { key: 'out_type' value { type: DT_QUINT8 } } attr { key: 'padding_list' value { list { } } }";

Seed classifier() {
  Maker m;
  m.input("x", {-1, 8, 8, 3}).floats("w", {3, 3, 3, 4}, {0.5f, -0.25f}).node("c", "Conv2D", {"x", "w"}, kSame);
  for (const char* name : {"scale", "offset", "mean", "variance"}) m.floats(name, {4}, {1, 2, 0.5f, 3});
  m.node("n", "FusedBatchNormV3", {"c", "scale", "offset", "mean", "variance"},
         "attr { key: 'is_training' value { b: false } } attr { key: 'epsilon' value { f: 0.001 } }");
  m.node("r", "Relu6", {"n"}).floats("d", {3, 3, 4, 1}, {1}).node("dw", "DepthwiseConv2dNative", {"r", "d"}, kExplicit);
  m.floats("b", {4}, {1}).node("ba", "BiasAdd", {"dw", "b"}).node("a", "AddV2", {"ba", "r"});
  m.node("p", "MaxPool", {"a"}, kPool).node("v", "AvgPool", {"p"}, kPool).integers("axes", {2}, {1, 2});
  m.node("m", "Mean", {"v", "axes"}, "attr { key: 'keep_dims' value { b: true } }");
  m.node("q", "Squeeze", {"m"}, "attr { key: 'squeeze_dims' value { list { i: [1, 2] } } }");
  m.floats("fc", {4, 5}, {0.1f}).node("mm", "MatMul", {"q", "fc"}).node("s", "Softmax", {"mm"});
  m.integers("one", {}, {1}).node("k", "ArgMax", {"s", "one"}, "attr { key: 'output_type' value { type: DT_INT32 } }");
  return m.done("classifier");
}

Seed shapes() {
  Maker m;
  m.input("x", {-1, 4, 4, 2}).integers("zero", {1}, {0}).integers("one", {1}, {1}).integers("six", {}, {32});
  m.node("sh", "Shape", {"x"});
  m.node("n", "StridedSlice", {"sh", "zero", "one", "one"}, "attr { key: 'shrink_axis_mask' value { i: 1 } }");
  m.node("t", "Pack", {"n", "six"}, "attr { key: 'axis' value { i: 0 } }").node("r", "Reshape", {"x", "t"});
  m.node("i", "Identity", {"x"}).node("p", "MaxPool", {"i"}, kPool);
  m.integers("pads", {4, 2}, {0, 0, 1, 0, 0, 1, 0, 0}).node("pd", "Pad", {"p", "pads"});
  m.integers("axis", {}, {3}).node("cc", "ConcatV2", {"pd", "pd", "axis"}, "attr { key: 'N' value { i: 2 } }");
  m.integers("sz", {2}, {6, 5}).node("rb", "ResizeBilinear", {"cc", "sz"});
  m.integers("bg", {4}, {0, 1, 0, 0}).integers("ln", {4}, {-1, 2, -1, 3}).node("sl", "Slice", {"rb", "bg", "ln"});
  m.integers("perm", {4}, {0, 3, 1, 2}).node("tr", "Transpose", {"sl", "perm"});
  m.node("off", "PlaceholderWithDefault", {"f"},
         "attr { key: 'dtype' value { type: DT_BOOL } } attr { key: 'shape' value { shape { } } }");
  m.node("f", "Const", {},
         "attr { key: 'value' value { tensor { dtype: DT_BOOL tensor_shape { } bool_val: false } } }");
  m.node("sw", "Switch", {"tr", "off"}).node("dead", "Relu", {"sw:1"}).node("live", "LeakyRelu", {"sw"});
  m.node("mg", "Merge", {"dead", "live"}, "attr { key: 'N' value { i: 2 } }");
  m.integers("dim", {}, {1}).node("ex", "ExpandDims", {"mg", "dim"});
  m.node("bf", "Cast", {"ex"},
         "attr { key: 'SrcT' value { type: DT_FLOAT } } attr { key: 'DstT' value { type: DT_BFLOAT16 } }");
  return m.done("shapes");
}

Seed quantised() {
  Maker m;
  m.input("x", {1, 4, 4, 2})
      .floats("lo", {}, {-1})
      .floats("hi", {}, {1})
      .floats("zero", {}, {0})
      .floats("six", {}, {6});
  m.node("q", "QuantizeV2", {"x", "lo", "hi"}, kScaled).floats("b", {3}, {0.5f});
  m.integers("w", {3, 3, 2, 3}, {1, -7, 120}, tf::DT_QINT8)
      .floats("wl", {3}, {-1, -2, -3})
      .floats("wh", {3}, {1, 2, 3});
  m.node("c", "QuantizedConv2DWithBiasAndReluAndRequantize", {"q", "w", "b", "q:1", "q:2", "wl", "wh", "zero", "six"},
         kQuantisedConv);
  m.integers("w2", {1, 1, 3, 3}, {11, -5}, tf::DT_QINT8);
  m.node("s", "QuantizedConv2DWithBiasSumAndReluAndRequantize",
         {"c", "w2", "b", "c:1", "c:2", "wl", "wh", "zero", "six", "c", "c:1", "c:2"}, kQuantisedConv);
  m.integers("w3", {3, 3, 3, 1}, {3}, tf::DT_QINT8);
  m.node("d", "QuantizedDepthwiseConv2DWithBiasAndReluAndRequantize",
         {"s", "w3", "b", "s:1", "s:2", "wl", "wh", "zero", "six"}, kQuantisedConv);
  m.node("p", "QuantizedAvgPool", {"d", "d:1", "d:2"}, kPool)
      .node("mx", "QuantizedMaxPool", {"p", "p:1", "p:2"}, kPool);
  m.integers("axis", {}, {3});
  m.node("cc", "QuantizedConcatV2", {"mx", "mx", "axis", "mx:1", "mx:1", "mx:2", "mx:2"},
         "attr { key: 'N' value { i: 2 } }");
  m.node("y", "Dequantize", {"cc", "cc:1", "cc:2"}, "attr { key: 'mode' value { s: 'SCALED' } }");
  m.node("fq", "FakeQuantWithMinMaxVars", {"y", "lo", "hi"}, "attr { key: 'num_bits' value { i: 8 } }");
  return m.done("quantised");
}

std::vector<Seed> seeds() { return {classifier(), shapes(), quantised()}; }

std::vector<std::string> node_names(const google::protobuf::Message& message) {
  std::vector<std::string> names;
  for (const auto& node : static_cast<const tf::GraphDef&>(message).node()) {
    names.push_back(node.name());
    names.push_back(node.name() + ":1");
  }
  return names;
}

Bytes mutate(const std::vector<Seed>& from, std::size_t index, Rng& rng) {
  tf::GraphDef graph;
  return mutate_message(from, index, rng, graph, node_names);
}

std::string treat(const Bytes& mutant, Rng& rng, Counts& counts) {
  return treat_imported(import_tensorflow_bytes(mutant, "mutant"), rng, counts);
}

}  // namespace
}  // namespace fovea::fuzz

int main(int argc, char** argv) {
  using namespace fovea::fuzz;
  return run_campaign(argc, argv, treat, {"pb", seeds, mutate});
}
