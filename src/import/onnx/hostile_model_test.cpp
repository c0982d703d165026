// Malformed and malicious messages: each a clear error, never a crash, never memory without bound.
#include <sys/resource.h>

#include "base/clock.h"
#include "import/onnx/test_models.h"

namespace fovea::onnx_import {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// input x f32[2], y = Relu(x), with `more` inside the graph.
onnx::ModelProto relu_model(const std::string& more = "", int opset = 13) {
  return model_of(opset, fmt::format("input {{ {} }} output {{ {} }} node {{ name: 'r' op_type: 'Relu' input: 'x' "
                                     "output: 'y' }} {}",
                                     port("x", {2}), port("y", {2}), more));
}
// The same with a constant of the given TensorProto content added to x.
onnx::ModelProto constant_model(const std::string& tensor) {
  return model_of(13, fmt::format("input {{ {} }} output {{ name: 'y' }} node {{ op_type: 'Add' input: 'x' input: 'c' "
                                  "output: 'y' }} initializer {{ name: 'c' {} }}",
                                  port("x", {2}), tensor));
}

TEST(HostileModel, GoodModelsPass) {
  EXPECT_TRUE(read(relu_model()).ok()) << error_of(relu_model());
  EXPECT_TRUE(read(constant_model("dims: 2 data_type: 1 float_data: [1, 2]")).ok());
}

TEST(HostileModel, NotAModel) {
  const auto import = [](std::string_view text) {
    return import_onnx_bytes(std::as_bytes(std::span(text)), "junk.onnx").error().text();
  };
  EXPECT_THAT(import(""), HasSubstr("importing junk.onnx › the file is empty"));
  EXPECT_THAT(import("this is text, not a model"), HasSubstr("not a readable ONNX message"));
  EXPECT_THAT(import(std::string_view("\0\0\0\0", 4)), HasSubstr("not a readable ONNX message"));
  EXPECT_THAT(import("\x08\x07"), HasSubstr("it holds no graph"));
}

TEST(HostileModel, EveryTruncationIsAnErrorOrAModel) {
  const auto bytes = bytes_of(constant_model("dims: 2 data_type: 1 raw_data: '\\000\\000\\200?\\000\\000\\000@'"));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto graph = import_onnx_bytes(std::span(bytes).first(n), "cut.onnx");
    if (graph.ok()) continue;
    EXPECT_FALSE(graph.error().message().empty());
  }
}

TEST(HostileModel, ClaimedLengthsAreCheckedBeforeMemoryIsTaken) {
  // Field 7 (the graph) of 2 GB - 1, in a file of 8 bytes.
  const std::string_view claim("\x3a\xff\xff\xff\xff\x07\x0a\x00", 8);
  EXPECT_THAT(import_onnx_bytes(std::as_bytes(std::span(claim)), "big.onnx").error().text(),
              HasSubstr("a field of 2147483647 bytes within a message that has"));
}

TEST(HostileModel, ATensorIsBackedByItsBytes) {
  EXPECT_THAT(error_of(constant_model("dims: 536870912 data_type: 1 raw_data: 'abcd'")),
              HasSubstr("initializer c › raw_data: expected 2147483648 bytes for f32[536870912], found 4"));
  EXPECT_THAT(error_of(constant_model("dims: 1000000000 data_type: 1")),
              HasSubstr("float_data: expected 1000000000 elements for shape [1000000000], found 0"));
  EXPECT_THAT(error_of(constant_model("dims: 2 data_type: 3 int32_data: [1]")),
              HasSubstr("int32_data: expected 2 elements for shape [2], found 1"));
  EXPECT_THAT(error_of(constant_model("dims: 3 data_type: 7 int64_data: [1, 2, 3, 4]")), HasSubstr("found 4"));
}

TEST(HostileModel, AbsurdDimensions) {
  EXPECT_THAT(error_of(constant_model("dims: 2147483648 dims: 2147483648 data_type: 1 raw_data: 'abcd'")),
              HasSubstr("initializer c › shape [2147483648,2147483648] has more than 2^46 elements"));
  EXPECT_THAT(error_of(constant_model("dims: -1 data_type: 1")), HasSubstr("shape [-1] has a negative extent"));
  EXPECT_THAT(error_of(constant_model("dims: 0 dims: 4611686018427387904 dims: 4 data_type: 1")),
              HasSubstr("more than 2^46 elements"));
  EXPECT_THAT(error_of(constant_model("dims: [1,1,1,1,1,1,1,1,1] data_type: 1 float_data: 1")),
              HasSubstr("expected at most 8 dimensions, found 9"));
  EXPECT_THAT(error_of(constant_model("dims: 1099511627776 data_type: 1")), HasSubstr("above the limit of 16384 MiB"));
}

TEST(HostileModel, GraphInputsWithAbsurdTypes) {
  const auto with_input = [](const std::string& input) {
    return error_of(
        model_of(13, "input {" + input + "} output { name: 'y' } node { op_type: 'Relu' input: 'x' output: 'y' }"));
  };
  const std::string head = "name: 'x' type { tensor_type { elem_type: 1 shape { ";
  EXPECT_THAT(with_input("name: 'x'"), HasSubstr("graph input x › it has no type"));
  EXPECT_THAT(with_input("name: 'x' type { }"), HasSubstr("only tensors are supported"));
  EXPECT_THAT(with_input("name: 'x' type { sequence_type { } }"), HasSubstr("only tensors are supported"));
  EXPECT_THAT(with_input("name: 'x' type { tensor_type { } }"), HasSubstr("element type 0: expected one of ONNX's"));
  EXPECT_THAT(with_input(head + "dim { dim_value: -7 } } } }"),
              HasSubstr("expected an extent of at least 0, found -7"));
  EXPECT_THAT(with_input(head + "dim { dim_value: 2147483648 } dim { dim_value: 2147483648 } } } }"),
              HasSubstr("more than 2^46 elements"));
  EXPECT_THAT(with_input(port("x", {1, 1, 1, 1, 1, 1, 1, 1, 1})), HasSubstr("expected at most 8 dimensions, found 9"));
  EXPECT_THAT(with_input("type { tensor_type { elem_type: 1 } }"), HasSubstr("a graph input has no name"));
}

TEST(HostileModel, InvalidElementTypes) {
  EXPECT_THAT(error_of(constant_model("dims: 2 data_type: 99 raw_data: 'ab'")),
              HasSubstr("initializer c › element type 99: expected one of ONNX's"));
  EXPECT_THAT(error_of(constant_model("dims: 2 data_type: -3 raw_data: 'ab'")), HasSubstr("element type -3"));
  EXPECT_THAT(error_of(constant_model("dims: 1 data_type: 8 string_data: 'ab'")), HasSubstr("element type"));
}

TEST(HostileModel, NumbersThatDoNotFit) {
  EXPECT_THAT(error_of(constant_model("dims: 2 data_type: 2 int32_data: [1, 256]")),
              HasSubstr("int32_data: expected u8 elements, found 256 at 1"));
  EXPECT_THAT(error_of(constant_model("dims: 1 data_type: 3 int32_data: -129")), HasSubstr("expected s8 elements"));
  EXPECT_THAT(error_of(constant_model("dims: 1 data_type: 9 int32_data: 2")), HasSubstr("expected bool elements"));
  EXPECT_THAT(error_of(constant_model("dims: 1 data_type: 12 uint64_data: 4294967296")), HasSubstr("expected u32"));
}

TEST(HostileModel, BoolBytesBecomeZeroOrOne) {
  const auto graph =
      read(model_of(13,
                    "output { name: 'y' } node { op_type: 'Constant' output: 'y' attribute { "
                    "name: 'value' type: TENSOR t { dims: 3 data_type: 9 raw_data: '\\000\\001\\377' } } }"));
  ASSERT_TRUE(graph.ok()) << graph.error().text();
  EXPECT_EQ(graph->value(graph->outputs()[0].value).constant->to_int64s(), (std::vector<std::int64_t>{0, 1, 1}));
}

TEST(HostileModel, CyclesNameANode) {
  const auto cyclic = model_of(13, "input {" + port("x", {2}) +
                                       "} output { name: 'b' } node { name: 'one' op_type: 'Add' input: 'x' input: 'b' "
                                       "output: 'a' } node { name: 'two' op_type: 'Relu' input: 'a' output: 'b' }");
  EXPECT_THAT(error_of(cyclic), HasSubstr("the graph has a cycle through or before node one (Add)"));
  const auto self = model_of(13, "output { name: 'a' } node { op_type: 'Relu' input: 'a' output: 'a' }");
  EXPECT_THAT(error_of(self), HasSubstr("cycle"));
}

TEST(HostileModel, NodesInAnyOrderAreSorted) {
  const auto shuffled = model_of(13, "input {" + port("x", {2}) +
                                         "} output { name: 'b' } node { op_type: 'Relu' input: 'a' output: 'b' } "
                                         "node { op_type: 'Neg' input: 'x' output: 'a' }");
  EXPECT_THAT(text_of(shuffled), HasSubstr("a: f32[2] = Neg(x)\nb: f32[2] = Relu(a)"));
}

TEST(HostileModel, DuplicateNames) {
  EXPECT_THAT(error_of(relu_model("node { name: 's' op_type: 'Neg' input: 'x' output: 'y' }")),
              HasSubstr("value y has more than one source"));
  EXPECT_THAT(error_of(relu_model("initializer { name: 'y' dims: 2 data_type: 1 float_data: [1, 2] }")),
              HasSubstr("value y has more than one source"));
  EXPECT_THAT(error_of(relu_model("node { op_type: 'Neg' input: 'y' output: 'x' }")), HasSubstr("cycle"));
  EXPECT_THAT(error_of(relu_model("node { op_type: 'Neg' input: 'z' output: 'x' } input {" + port("z", {2}) + "}")),
              HasSubstr("value x has more than one source"));
  EXPECT_THAT(error_of(relu_model("input {" + port("x", {3}) + "}")), HasSubstr("two graph inputs are called x"));
  EXPECT_THAT(error_of(relu_model("output { name: 'y' }")), HasSubstr("two graph outputs are called y"));
  const std::string c = "initializer { name: 'c' data_type: 1 float_data: 1 }";
  EXPECT_THAT(error_of(relu_model(c + c)), HasSubstr("value c has more than one source"));
}

TEST(HostileModel, EqualNodeNamesAreMadeDifferent) {
  const auto graph = read(relu_model("node { name: 'r' op_type: 'Neg' input: 'y' output: 'z' }"));
  ASSERT_TRUE(graph.ok()) << graph.error().text();
  EXPECT_NE(graph->node(0).name, graph->node(1).name);
}

TEST(HostileModel, MissingThings) {
  EXPECT_THAT(error_of(relu_model("node { name: 'n' op_type: 'Neg' input: 'ghost' output: 'z' }")),
              HasSubstr("importing test.onnx › node n (Neg) › input 0: nothing produces value ghost"));
  EXPECT_THAT(error_of(relu_model("output { name: 'ghost' }")), HasSubstr("graph output ghost: nothing produces it"));
  EXPECT_THAT(error_of(model_of(13, "input {" + port("x", {2}) + "}")), HasSubstr("the graph has no outputs"));
  EXPECT_THAT(error_of(relu_model("node { name: 'n' op_type: 'Add' input: 'x' output: 'z' }")),
              HasSubstr("node n (Add) › expected 2 inputs, found 1"));
  EXPECT_THAT(error_of(relu_model("node { name: 'n' op_type: 'Add' input: 'x' input: '' output: 'z' }")),
              HasSubstr("node n (Add)"));
  EXPECT_THAT(error_of(relu_model("initializer { data_type: 1 float_data: 1 }")), HasSubstr("it has no name"));
}

TEST(HostileModel, Opsets) {
  EXPECT_THAT(error_of(relu_model("", 0)), HasSubstr("opset of domain '': expected at least 1, found 0"));
  EXPECT_THAT(error_of(relu_model("", 999)), HasSubstr("opset 999: expected 7 to 21"));
  EXPECT_THAT(error_of(relu_model("", 22)), HasSubstr("opset 22: expected 7 to 21"));
  EXPECT_THAT(error_of(relu_model("", -5)), HasSubstr("found -5"));
  auto none = relu_model();
  none.clear_opset_import();
  EXPECT_THAT(error_of(none), HasSubstr("names no opset of the default domain"));
  auto twice = relu_model();
  *twice.add_opset_import() = twice.opset_import(0);
  EXPECT_TRUE(read(twice).ok());
  twice.mutable_opset_import(1)->set_domain("ai.onnx");
  twice.mutable_opset_import(1)->set_version(9);
  EXPECT_THAT(error_of(twice), HasSubstr("given twice, as 13 and 9"));
}

TEST(HostileModel, AllUnsupportedOperatorsAreListedAtOnce) {
  auto model = relu_model(
      "node { name: 'l1' op_type: 'Loop' input: 'x' output: 'a' } node { name: 'l2' op_type: 'Loop' input: 'x' output: "
      "'b' }"
      "node { name: 'f' op_type: 'FFT' domain: 'com.example' input: 'x' output: 'c' }"
      "node { name: 'm' op_type: 'Mish' input: 'x' output: 'd' }");
  auto& domain = *model.add_opset_import();
  domain.set_domain("com.example");
  domain.set_version(3);
  const auto graph = read(model);
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(graph.error().text(),
              AllOf(HasSubstr("3 unsupported operators: "), HasSubstr("Loop (opset 13, 2 nodes, first l1)"),
                    HasSubstr("com.example.FFT (opset 3, 1 node, first f)"),
                    HasSubstr("Mish (opset 13, 1 node, first m; read at opsets 18 to 21)")));
}

TEST(HostileModel, AttributesAreCheckedByNameAndKind) {
  const auto flatten = [](const std::string& attributes) {
    return error_of(relu_model("node { name: 'f' op_type: 'Flatten' input: 'x' output: 'z' " + attributes + "}"));
  };
  EXPECT_THAT(flatten("attribute { name: 'axis' type: FLOAT f: 1 }"),
              HasSubstr("node f (Flatten) › attribute axis › expected an integer, found a float"));
  EXPECT_THAT(flatten("attribute { name: 'axes' type: INT i: 1 }"),
              HasSubstr("attribute axes › the operator has no such attribute"));
  EXPECT_THAT(flatten("attribute { name: 'axis' type: GRAPH g { } }"), HasSubstr("found a subgraph"));
  EXPECT_THAT(flatten("attribute { name: 'axis' type: INT i: 1 } attribute { name: 'axis' type: INT i: 0 }"),
              HasSubstr("attribute axis is given twice"));
  EXPECT_THAT(flatten("attribute { name: 'axis' type: INT ref_attr_name: 'k' }"),
              HasSubstr("attribute axis › it refers to an attribute of a function"));
  EXPECT_THAT(flatten("attribute { name: 'axis' type: INT i: 99 }"), HasSubstr("node f (Flatten)"));
}

TEST(HostileModel, NestingIsBounded) {
  // A subgraph within a subgraph, 10,000 deep, written from the inside out.
  std::string graph;
  const auto delimited = [](char tag, const std::string& content) {
    std::string out(1, tag);
    for (std::size_t n = content.size(); true; n >>= 7) {
      out.push_back(static_cast<char>((n & 127) | (n > 127 ? 128 : 0)));
      if (n <= 127) break;
    }
    return out + content;
  };
  for (int i = 0; i < 10'000; ++i) {
    // graph → node (1) → attribute (5) → graph (6)
    graph = delimited('\x0a', delimited('\x2a', delimited('\x32', graph)));
  }
  const std::string model = delimited('\x3a', graph);
  const auto result = import_onnx_bytes(std::as_bytes(std::span(model)), "deep.onnx");
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().text(), HasSubstr("messages nest deeper than 90 levels"));
}

TEST(HostileModel, Names) {
  auto model = relu_model();
  model.mutable_graph()->mutable_node(0)->set_name(std::string("a\0b", 3));
  EXPECT_THAT(error_of(model), HasSubstr("name a?b holds the control character 0x00"));
  model.mutable_graph()->mutable_node(0)->set_name(std::string(70'000, 'n'));
  EXPECT_THAT(error_of(model), HasSubstr("expected at most 65536 bytes, found 70000"));
  EXPECT_LT(error_of(model).size(), 300u);
  model = relu_model();
  model.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_param("N\n");
  EXPECT_THAT(error_of(model), HasSubstr("holds the control character 0x0a"));
}

TEST(HostileModel, NodesAreCountedBeforeTheyAreBuilt) {
  std::string graph;
  for (int i = 0; i < 200; ++i) graph += std::string("\x0a\x00", 2);  // 200 empty nodes
  std::string model("\x3a");
  model += static_cast<char>((graph.size() & 127) | 128);
  model += static_cast<char>(graph.size() >> 7);
  model += graph;
  ImportOptions options;
  options.limits.nodes = 100;
  EXPECT_THAT(import_onnx_bytes(std::as_bytes(std::span(model)), "many.onnx", options).error().text(),
              HasSubstr("more than 100 nodes"));
  options.limits = {};
  options.limits.message_bytes = 10'000;
  EXPECT_THAT(import_onnx_bytes(std::as_bytes(std::span(model)), "many.onnx", options).error().text(),
              HasSubstr("the message would take more than"));
}

TEST(HostileModel, LimitsOnConstantsAndPorts) {
  ImportOptions options;
  options.limits.constant_bytes = 7;
  EXPECT_THAT(error_of(constant_model("dims: 2 data_type: 1 float_data: [1, 2]"), options),
              HasSubstr("would bring the constants above the limit"));
  options.limits = {};
  options.limits.ports = 1;
  EXPECT_THAT(error_of(relu_model("input {" + port("z", {2}) + "}"), options),
              HasSubstr("expected at most 1 graph inputs and outputs, found 2"));
  options.limits = {};
  options.limits.file_bytes = 10;
  EXPECT_THAT(error_of(relu_model(), options), HasSubstr("at most 10 can be read"));
}

TEST(HostileModel, LongChainsAreReadInLinearTime) {
  std::string graph = "input {" + port("v0", {2}) + "} output { name: 'v20000' }";
  for (int i = 0; i < 20'000; ++i)
    graph += fmt::format("node {{ op_type: 'Relu' name: 'same' input: 'v{}' output: 'v{}' }} ", i, i + 1);
  const auto model = model_of(13, graph);
  const auto begin_ns = now_ns();
  const auto result = read(model);
  ASSERT_TRUE(result.ok()) << result.error().text();
  EXPECT_LT(now_ns() - begin_ns, 5'000'000'000);
}

TEST(HostileModel, ExternalDataNeedsAFile) {
  EXPECT_THAT(error_of(constant_model("dims: 2 data_type: 1 data_location: EXTERNAL "
                                      "external_data { key: 'location' value: 'w.bin' }")),
              HasSubstr("a model in memory has no folder"));
}

TEST(HostileModel, SparseInitializersSegmentsAndTrainingAreRefused) {
  EXPECT_THAT(error_of(relu_model("sparse_initializer { }")), HasSubstr("sparse initializers are not supported"));
  EXPECT_THAT(error_of(constant_model("dims: 2 data_type: 1 segment { begin: 0 end: 1 }")), HasSubstr("segments"));
  auto model = relu_model();
  model.add_training_info();
  EXPECT_THAT(error_of(model), HasSubstr("training information is not supported"));
}

}  // namespace
}  // namespace fovea::onnx_import
