// Malformed and malicious GraphDefs: each a clear error, never a crash, never memory without bound.
#include <filesystem>
#include <fstream>

#include "import/tensorflow/test_graphs.h"

namespace fovea::tensorflow_import {
namespace {

using testing::HasSubstr;

const std::string kX = placeholder("x", {2});

// y = x + c, c a Const of this TensorProto content.
std::string with_constant(const std::string& tensor) {
  return kX + node("c", "Const", {}, {{"value", "tensor { " + tensor + " }"}}) + node("y", "AddV2", {"x", "c"});
}

TEST(HostileGraph, GoodGraphsPass) {
  EXPECT_TRUE(read(kX + node("y", "Relu", {"x"})).ok());
  EXPECT_TRUE(read(with_constant("dtype: DT_FLOAT tensor_shape { dim { size: 2 } } float_val: 1")).ok());
}

TEST(HostileGraph, NotAGraph) {
  const auto import = [](std::string_view text) {
    return import_tensorflow_bytes(std::as_bytes(std::span(text)), "junk.pb").error().text();
  };
  EXPECT_THAT(import(""), HasSubstr("importing junk.pb › the file is empty"));
  EXPECT_THAT(import("this is text, not a graph"), HasSubstr("not a readable GraphDef"));
  EXPECT_THAT(import(std::string_view("\x08\x01", 2)), HasSubstr("a SavedModel, not a frozen GraphDef"));
  EXPECT_THAT(import(std::string_view("\x22\x02\x08\x01", 4)), HasSubstr("it holds no nodes"));
}

TEST(HostileGraph, EveryTruncationIsAnErrorOrAGraph) {
  const auto bytes =
      bytes_of(graph_of(with_constant("dtype: DT_FLOAT tensor_shape { dim { size: 2 } } float_val: [1, 2]")));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto graph = import_tensorflow_bytes(std::span(bytes).first(n), "cut.pb");
    if (graph.ok()) continue;
    EXPECT_FALSE(graph.error().message().empty());
  }
}

TEST(HostileGraph, ClaimedLengthsAreCheckedBeforeMemoryIsTaken) {
  const std::string_view claim("\x0a\xff\xff\xff\xff\x07\x0a\x00", 8);
  EXPECT_THAT(import_tensorflow_bytes(std::as_bytes(std::span(claim)), "big.pb").error().text(),
              HasSubstr("a field of 2147483647 bytes within a message that has"));
}

TEST(HostileGraph, ATensorIsBackedByItsBytes) {
  EXPECT_THAT(
      error_of(with_constant("dtype: DT_FLOAT tensor_shape { dim { size: 536870912 } } tensor_content: 'abcd'")),
      HasSubstr("node c (Const) › attribute value › tensor_content: expected 2147483648 bytes"));
  EXPECT_THAT(error_of(with_constant("dtype: DT_FLOAT tensor_shape { dim { size: 1 } } float_val: [1, 2]")),
              HasSubstr("expected at most 1 elements for shape [1], found 2"));
  EXPECT_THAT(error_of(with_constant("dtype: DT_FLOAT tensor_shape { dim { size: 1073741824 } } float_val: 1")),
              HasSubstr("of one repeated element would bring such constants above 64 MiB"));
  EXPECT_THAT(error_of(with_constant("dtype: DT_INT8 tensor_shape { dim { size: 1 } } int_val: 300")),
              HasSubstr("expected s8 elements, found 300 at 0"));
  EXPECT_THAT(error_of(with_constant("dtype: DT_STRING tensor_shape { } string_val: 'a'")),
              HasSubstr("element type DT_STRING is not supported"));
  EXPECT_THAT(error_of(with_constant("tensor_shape { }")), HasSubstr("element type DT_INVALID"));
}

TEST(HostileGraph, AbsurdDimensions) {
  EXPECT_THAT(
      error_of(with_constant("dtype: DT_FLOAT tensor_shape { dim { size: 2147483648 } dim { size: 2147483648 } }")),
      HasSubstr("has more than 2^46 elements"));
  EXPECT_THAT(error_of(with_constant("dtype: DT_FLOAT tensor_shape { dim { size: -1 } }")),
              HasSubstr("tensor_shape: expected fixed extents"));
  EXPECT_THAT(error_of(with_constant("dtype: DT_FLOAT tensor_shape { unknown_rank: true }")),
              HasSubstr("expected fixed extents"));
  EXPECT_THAT(error_of(placeholder("x", {-7}) + node("y", "Relu", {"x"})),
              HasSubstr("node x (Placeholder) › expected an extent of at least -1, found -7"));
  EXPECT_THAT(error_of(placeholder("x", {1, 1, 1, 1, 1, 1, 1, 1, 1}) + node("y", "Relu", {"x"})),
              HasSubstr("expected at most 8 dimensions, found 9"));
}

TEST(HostileGraph, NamesAndReferences) {
  EXPECT_THAT(error_of(kX + kX + node("y", "Relu", {"x"})), HasSubstr("two nodes are called x"));
  EXPECT_THAT(error_of(kX + node("", "Relu", {"x"})), HasSubstr("node 1 (Relu) has no name"));
  EXPECT_THAT(error_of(kX + node("y", "Relu", {"z"})), HasSubstr("node y (Relu) › there is no node called z"));
  EXPECT_THAT(error_of(kX + node("y", "Relu", {"x:99999999999"})), HasSubstr("expected node:output"));
  EXPECT_THAT(error_of(kX + node("y", "Relu", {"x:7"})), HasSubstr("input 0: x:7 gives nothing that can be used"));
  EXPECT_THAT(error_of(kX + node("a\\001b", "Relu", {"x"})), HasSubstr("control character 0x01"));
  EXPECT_THAT(error_of(kX + node("y", "Relu", {"x"}), {.limits = {.name_bytes = 3}}), HasSubstr("at most 3 bytes"));
  EXPECT_THAT(error_of(kX + node("y", "Relu", {"x"}), {.limits = {.nodes = 1}}), HasSubstr("more than 1 nodes"));
}

TEST(HostileGraph, CyclesNameANode) {
  EXPECT_THAT(error_of(kX + node("a", "AddV2", {"x", "b"}) + node("b", "Relu", {"a"}) + node("y", "Relu", {"b"})),
              HasSubstr("the graph has a cycle through node"));
  EXPECT_THAT(error_of(kX + node("y", "AddV2", {"x", "y"}), {.output_nodes = {"y"}}),
              HasSubstr("cycle through node y"));
}

TEST(HostileGraph, LongChainsNeedNoStack) {
  std::string text = kX;
  std::string last = "x";
  for (int i = 0; i < 20'000; ++i) {
    const std::string name = fmt::format("n{}", i);
    text += node(name, "Identity", {last});
    last = name;
  }
  EXPECT_TRUE(read(text + node("y", "Relu", {last})).ok());
}

TEST(HostileGraph, AttributesAreChecked) {
  const std::string w = floats("w", {1, 1, 1, 1}, {1});
  const auto conv = [&](const std::vector<std::pair<std::string, std::string>>& attributes) {
    return error_of(placeholder("x", {1, 4, 4, 1}) + w + node("y", "Conv2D", {"x", "w"}, attributes));
  };
  const std::pair<std::string, std::string> strides{"strides", list({1, 1, 1, 1})}, same{"padding", "s: 'SAME'"};
  EXPECT_THAT(conv({strides}), HasSubstr("attribute padding: expected SAME, VALID or EXPLICIT, found ''"));
  EXPECT_THAT(conv({strides, same, {"odd", "i: 1"}}),
              HasSubstr("node y (Conv2D) › attribute odd › the operator has no such attribute"));
  EXPECT_THAT(conv({strides, same, same}), HasSubstr("attribute padding › it is given twice"));
  EXPECT_THAT(conv({strides, {"padding", "i: 1"}}), HasSubstr("attribute padding › expected a text, found an integer"));
  EXPECT_THAT(conv({same, {"strides", list({1, 1})}}), HasSubstr("attribute strides: expected 4 integers, found 2"));
  EXPECT_THAT(conv({same, {"strides", list({1, 0, 1, 1})}}), HasSubstr("attribute strides: expected 1 to"));
  EXPECT_THAT(conv({same, {"strides", list({2, 1, 1, 1})}}), HasSubstr("expected 1 for batch and channels"));
  EXPECT_THAT(conv({strides, same, {"data_format", "s: 'NCWH'"}}), HasSubstr("expected NHWC or NCHW, found NCWH"));
  EXPECT_THAT(conv({strides, {"padding", "s: 'EXPLICIT'"}, {"explicit_paddings", list({1})}}),
              HasSubstr("expected 8 integers"));
  EXPECT_THAT(error_of(kX + node("y", "Relu", {"x", "x"})), HasSubstr("expected 1 inputs, found 2"));
  EXPECT_TRUE(read(kX + node("y", "Relu", {"x"}, {{"_anything", "s: 'note'"}})).ok());
}

TEST(HostileGraph, FiltersThatDoNotFit) {
  const auto conv = [&](const std::vector<std::int64_t>& extents, const std::string& op = "Conv2D") {
    return error_of(placeholder("x", {1, 4, 4, 3}) + floats("w", extents, {}) +
                    node("y", op, {"x", "w"}, {{"strides", list({1, 1, 1, 1})}, {"padding", "s: 'SAME'"}}));
  };
  EXPECT_THAT(conv({1, 1, 2, 1}), HasSubstr("filters read 2 channels, the image has 3"));
  EXPECT_THAT(conv({1, 1, 3}), HasSubstr("expected 4 fixed dimensions"));
  EXPECT_THAT(conv({0, 1, 3, 1}), HasSubstr("is empty"));
  EXPECT_THAT(conv({1, 1, 2, 1}, "DepthwiseConv2dNative"), HasSubstr("y"));
}

TEST(HostileGraph, ValuesThatMustBeConstants) {
  EXPECT_THAT(error_of(kX + placeholder("axes", {1}, "DT_INT32") + node("y", "Mean", {"x", "axes"})),
              HasSubstr("node y (Mean) › input 1 (reduction indices): expected a constant"));
  EXPECT_THAT(
      error_of(kX + placeholder("p", {1}, "DT_INT32") + node("s", "Switch", {"x", "p"}) + node("y", "Relu", {"s"})),
      HasSubstr("input 1 (predicate): expected a constant"));
  EXPECT_THAT(error_of(kX + integer("axis", 7) + node("y", "ArgMax", {"x", "axis"})), HasSubstr("axis 7"));
}

TEST(HostileGraph, ShapesThatAreNotKnown) {
  const std::string x =
      node("x", "Placeholder", {}, {{"dtype", "type: DT_FLOAT"}, {"shape", "shape { unknown_rank: true }"}});
  const std::string moved = x + integers("p", {0, 1}) + node("t", "Transpose", {"x", "p"});
  EXPECT_THAT(error_of(moved + integers("s", {2, 2}) + node("y", "ResizeBilinear", {"t", "s"})),
              HasSubstr("height and width are not known"));
  EXPECT_THAT(error_of(moved + node("y", "Squeeze", {"t"})), HasSubstr("the number of dimensions is not known"));
  EXPECT_THAT(error_of(moved + node("y", "Shape", {"t"})), HasSubstr("the number of dimensions is not known"));
}

TEST(HostileGraph, FilesThatAreNoFiles) {
  EXPECT_THAT(import_tensorflow("/no/such.pb").error().text(), HasSubstr("importing /no/such.pb › cannot open"));
  EXPECT_THAT(import_tensorflow(std::filesystem::temp_directory_path()).error().text(),
              HasSubstr("expected a regular file"));
}

}  // namespace
}  // namespace fovea::tensorflow_import
