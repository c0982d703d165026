// What each operator becomes, and the numbers that come out.
#include "import/tensorflow/test_graphs.h"

namespace fovea::tensorflow_import {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kImage = placeholder("x", {-1, 4, 4, 1});

// Elements 0, 1, 2… of the given dims.
Tensor counting(const Dims& dims) {
  Tensor out(DType::kF32, dims);
  float next = 0;
  for (float& v : out.as<float>()) v = next++;
  return out;
}

std::string conv(const std::vector<std::pair<std::string, std::string>>& attributes, const std::string& op = "Conv2D") {
  return node("y", op, {"x", "w"}, attributes);
}

TEST(ImportTensorflow, ImageInputsBecomeChannelsFirst) {
  const std::string graph = placeholder("x", {-1, 5, 6, 3}) + floats("w", {1, 1, 3, 2}, {1, 2, 3, 4, 5, 6}) +
                            conv({{"strides", list({1, 1, 1, 1})}, {"padding", "s: 'VALID'"}});
  EXPECT_THAT(text_of(graph),
              AllOf(HasSubstr("input x: f32[N,3,5,6]"), HasSubstr("Transpose"), HasSubstr("output y = y_nhwc")));
  EXPECT_EQ(read(graph)->metadata.at("nhwc_inputs"), "x");
  EXPECT_THAT(text_of(graph, {.channels_first_images = false}), HasSubstr("input x: f32[N,5,6,3]"));
}

TEST(ImportTensorflow, FiltersAreTurned) {
  // 2 filters of 1x2 pixels and 2 channels: y[o] = sum over kw, c of x * w[0][kw][c][o].
  const std::string graph = placeholder("x", {1, 1, 2, 2}) + floats("w", {1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}) +
                            conv({{"strides", list({1, 1, 1, 1})}, {"padding", "s: 'VALID'"}});
  // Channels first: c0 = {1, 3}, c1 = {2, 4}.
  EXPECT_THAT(result_of(graph, Tensor::of<float>({1, 2, 1, 2}, {1, 3, 2, 4})), ElementsAre(50, 60));
}

TEST(ImportTensorflow, SamePaddingPutsTheOddPixelBehind) {
  const std::string start = kImage + floats("w", {3, 3, 1, 1}, {1, 0, 0, 0, 0, 0, 0, 0, 0});
  const std::string graph = start + conv({{"strides", list({1, 2, 2, 1})}, {"padding", "s: 'SAME'"}});
  EXPECT_THAT(text_of(graph), HasSubstr("pads=[0,0,1,1]"));
  EXPECT_THAT(result_of(graph, counting({1, 1, 4, 4})), ElementsAre(0, 2, 8, 10));
  EXPECT_THAT(text_of(placeholder("x", {-1, -1, -1, 1}) + floats("w", {3, 3, 1, 1}, {1}) +
                      conv({{"strides", list({1, 2, 2, 1})}, {"padding", "s: 'SAME'"}})),
              HasSubstr("auto_pad=\"SAME_UPPER\""));
}

TEST(ImportTensorflow, ExplicitPaddingDilationsAndNchw) {
  const std::string w = floats("w", {2, 2, 1, 1}, {1, 1, 1, 1});
  EXPECT_THAT(text_of(kImage + w +
                      conv({{"strides", list({1, 1, 1, 1})},
                            {"padding", "s: 'EXPLICIT'"},
                            {"dilations", list({1, 2, 3, 1})},
                            {"explicit_paddings", list({0, 0, 1, 2, 3, 4, 0, 0})}})),
              AllOf(HasSubstr("pads=[1,3,2,4]"), HasSubstr("dilations=[2,3]")));
  const std::string nchw =
      placeholder("x", {1, 1, 4, 4}) + w +
      conv({{"strides", list({1, 1, 2, 1})}, {"padding", "s: 'VALID'"}, {"data_format", "s: 'NCHW'"}});
  EXPECT_THAT(text_of(nchw),
              AllOf(HasSubstr("input x: f32[1,1,4,4]"), HasSubstr("strides=[2,1]"), Not(HasSubstr("Transpose"))));
}

TEST(ImportTensorflow, DepthwiseConvolutionWithMultiplier) {
  // 2 channels, 2 filters each: filter index c * 2 + m.
  const std::string graph = placeholder("x", {1, 1, 1, 2}) + floats("w", {1, 1, 2, 2}, {1, 10, 100, 1000}) +
                            conv({{"strides", list({1, 1, 1, 1})}, {"padding", "s: 'VALID'"}}, "DepthwiseConv2dNative");
  EXPECT_THAT(text_of(graph), HasSubstr("group=2"));
  EXPECT_THAT(result_of(graph, Tensor::of<float>({1, 2, 1, 1}, {2, 3})), ElementsAre(2, 20, 300, 3000));
}

TEST(ImportTensorflow, BatchNormalisationForInferenceOnly) {
  const std::string vectors =
      floats("s", {1}, {2}) + floats("o", {1}, {1}) + floats("m", {1}, {3}) + floats("v", {1}, {4});
  const auto graph = [&](const char* training) {
    return kImage + vectors +
           node("y", "FusedBatchNormV3", {"x", "s", "o", "m", "v"}, {{"is_training", training}, {"epsilon", "f: 0"}});
  };
  EXPECT_EQ(result_of(graph("b: false"), counting({1, 1, 4, 4}))[5], 3);  // (5 - 3) / 2 * 2 + 1
  EXPECT_THAT(error_of(graph("b: true")), HasSubstr("node y (FusedBatchNormV3) › attribute is_training"));
}

TEST(ImportTensorflow, PoolsBiasAndActivations) {
  const std::string pool =
      node("p", "AvgPool", {"x"},
           {{"ksize", list({1, 3, 3, 1})}, {"strides", list({1, 2, 2, 1})}, {"padding", "s: 'SAME'"}});
  // The padding does not count: the last window has 2x2 pixels.
  EXPECT_EQ(result_of(kImage + pool, counting({1, 1, 4, 4}))[3], 12.5f);
  const std::string biased = kImage + floats("b", {1}, {-20}) + node("a", "BiasAdd", {"x", "b"});
  EXPECT_EQ(result_of(biased + node("y", "LeakyRelu", {"a"}, {{"alpha", "f: 0.5"}}), counting({1, 4, 4, 1}))[0], -10);
  EXPECT_EQ(result_of(kImage + node("y", "Relu6", {"x"}), counting({1, 4, 4, 1}))[15], 6);
}

TEST(ImportTensorflow, AverageOverPixelsNeedsNoTranspose) {
  const std::string pool =
      node("p", "MaxPool", {"x"},
           {{"ksize", list({1, 1, 1, 1})}, {"strides", list({1, 1, 1, 1})}, {"padding", "s: 'SAME'"}});
  const std::string graph = placeholder("x", {-1, 4, 4, 3}) + pool + integers("axes", {1, 2}) +
                            node("y", "Mean", {"p", "axes"}, {{"keep_dims", "b: false"}});
  EXPECT_THAT(text_of(graph), AllOf(HasSubstr("y: f32[N,3] = ReduceMean"), Not(HasSubstr("Transpose"))));
  const std::string kept = placeholder("x", {-1, 4, 4, 3}) + pool + integers("axes", {1, 2}) +
                           node("m", "Mean", {"p", "axes"}, {{"keep_dims", "b: true"}}) +
                           node("y", "Squeeze", {"m"}, {{"squeeze_dims", list({1, 2})}});
  EXPECT_THAT(text_of(kept), AllOf(HasSubstr("y: f32[N,3] = Squeeze"), Not(HasSubstr("Transpose"))));
  // Rows only: what is left has another order.
  const std::string rows =
      placeholder("x", {-1, 4, 4, 3}) + pool + integers("axes", {1}) + node("y", "Mean", {"p", "axes"});
  EXPECT_THAT(text_of(rows), AllOf(HasSubstr("Transpose"), HasSubstr("y: f32[N,4,3]")));
}

TEST(ImportTensorflow, BroadcastsAgainstImages) {
  const std::string pool =
      node("p", "MaxPool", {"x"},
           {{"ksize", list({1, 1, 1, 1})}, {"strides", list({1, 1, 1, 1})}, {"padding", "s: 'SAME'"}});
  const std::string start = placeholder("x", {1, 2, 2, 2}) + pool;
  const Tensor x = counting({1, 2, 2, 2});  // channels first: c0 = 0..3, c1 = 4..7
  // Outputs come in the file's order: pixels outside, channels inside.
  EXPECT_THAT(result_of(start + floats("c", {2}, {10, 20}) + node("y", "AddV2", {"p", "c"}), x),
              ElementsAre(10, 24, 11, 25, 12, 26, 13, 27));
  EXPECT_THAT(result_of(start + floats("c", {2, 1, 1}, {0, 100}) + node("y", "Sub", {"p", "c"}), x),
              ElementsAre(0, 4, 1, 5, -98, -94, -97, -93));
  EXPECT_THAT(result_of(start + floats("c", {1, 1, 2, 1}, {1, 2}) + node("y", "Mul", {"c", "p"}), x),
              ElementsAre(0, 4, 2, 10, 2, 6, 6, 14));
}

TEST(ImportTensorflow, ConcatPadSliceOfImages) {
  const std::string pool =
      node("p", "MaxPool", {"x"},
           {{"ksize", list({1, 1, 1, 1})}, {"strides", list({1, 1, 1, 1})}, {"padding", "s: 'SAME'"}});
  const std::string start = placeholder("x", {1, 1, 2, 2}) + pool;
  const Tensor x = Tensor::of<float>({1, 2, 1, 2}, {1, 2, 3, 4});
  EXPECT_THAT(result_of(start + integer("a", -1) + node("y", "ConcatV2", {"p", "p", "a"}, {{"N", "i: 2"}}), x),
              ElementsAre(1, 3, 1, 3, 2, 4, 2, 4));
  const std::string pads = constant("q", "DT_INT32", {4, 2}, "int_val: [0, 0, 0, 0, 1, 0, 0, 1]");
  EXPECT_THAT(result_of(start + pads + node("y", "Pad", {"p", "q"}), x), ElementsAre(0, 0, 0, 1, 3, 0, 2, 4, 0));
  EXPECT_THAT(
      result_of(
          start + integers("b", {0, 0, 0, 1}) + integers("s", {-1, -1, 1, 1}) + node("y", "Slice", {"p", "b", "s"}), x),
      ElementsAre(3));
  EXPECT_THAT(result_of(start + integers("b", {0, 0, 1}) + integers("e", {0, 0, 2}) + integers("s", {1, 1, 1}) +
                            node("y", "StridedSlice", {"p", "b", "e", "s"},
                                 {{"begin_mask", "i: 3"}, {"end_mask", "i: 3"}, {"shrink_axis_mask", "i: 4"}}),
                        x),
              ElementsAre(2, 4));
}

TEST(ImportTensorflow, ShapesComputedAtRunTimeBecomeConstants) {
  const std::string graph =
      placeholder("x", {-1, 2, 3}) + node("s", "Shape", {"x"}) + integers("zero", {0}) + integers("one", {1}) +
      node("n", "StridedSlice", {"s", "zero", "one", "one"}, {{"shrink_axis_mask", "i: 1"}}) + integer("six", 6) +
      node("t", "Pack", {"n", "six"}, {{"N", "i: 2"}}) + node("y", "Reshape", {"x", "t"});
  EXPECT_THAT(text_of(graph), AllOf(HasSubstr("{-1, 6}"), HasSubstr("Reshape"), Not(HasSubstr("Shape(x"))));
}

TEST(ImportTensorflow, ExtentsThatAreNotKnownAreErrorsWhereTheyAreNumbers) {
  const std::string start = placeholder("x", {-1, 2}) + node("s", "Shape", {"x"});
  EXPECT_THAT(error_of(start + integers("one", {1, 1}) + node("y", "AddV2", {"s", "one"})),
              HasSubstr("node y (AddV2) › an operand is computed from extents that are not known before the run"));
  EXPECT_THAT(error_of(start, {.output_nodes = {"s"}}), HasSubstr("output s: its value is not known"));
  EXPECT_THAT(error_of(placeholder("x", {-1, -1}) + node("s", "Shape", {"x"}) + node("y", "Reshape", {"x", "s"})),
              HasSubstr("2 of its extents are not known before the network runs"));
  EXPECT_THAT(text_of(placeholder("x", {3, 2}) + node("s", "Shape", {"x"}), {.output_nodes = {"s"}}),
              HasSubstr("{3, 2}"));
}

TEST(ImportTensorflow, ReshapeToOnePixelFeedsConvolutions) {
  const std::string graph =
      placeholder("x", {-1, 6}) + integers("t", {-1, 1, 1, 6}) + node("r", "Reshape", {"x", "t"}) +
      floats("w", {1, 1, 6, 2}, {1}) +
      node("y", "Conv2D", {"r", "w"}, {{"strides", list({1, 1, 1, 1})}, {"padding", "s: 'SAME'"}}) +
      node("z", "Squeeze", {"y"}, {{"squeeze_dims", list({1, 2})}});
  EXPECT_THAT(text_of(graph), AllOf(HasSubstr("f32[N,6,1,1] = Reshape"), Not(HasSubstr("Transpose"))));
}

TEST(ImportTensorflow, SwitchesOfTrainingAreFolded) {
  const std::string graph =
      placeholder("x", {2}) + constant("off", "DT_BOOL", {}, "bool_val: false") +
      node("training", "PlaceholderWithDefault", {"off"}, {{"dtype", "type: DT_BOOL"}, {"shape", "shape { }"}}) +
      node("s", "Switch", {"x", "training"}) + node("dropped", "RandomSomething", {"s:1"}) +
      node("kept", "Relu", {"s"}) + node("y", "Merge", {"kept", "doubled"}, {{"N", "i: 2"}}) +
      node("doubled", "AddV2", {"s:1", "s:1"});
  EXPECT_THAT(text_of(graph, {.output_nodes = {"y"}}), HasSubstr("output y = kept"));
  EXPECT_THAT(text_of(graph, {.output_nodes = {"y:1"}}), HasSubstr("{0}"));
  EXPECT_THAT(error_of(graph, {.output_nodes = {"doubled"}}), HasSubstr("a Switch never leads there"));
}

TEST(ImportTensorflow, OutputsAreWhatNothingReads) {
  const std::string graph = placeholder("x", {-1, 3}) + integer("axis", 1) + node("classes", "ArgMax", {"x", "axis"}) +
                            node("scores", "Softmax", {"x"}) + node("lost", "NoOp") + floats("alone", {1}, {1});
  EXPECT_THAT(text_of(graph), HasSubstr("output scores\noutput classes"));
  EXPECT_THAT(text_of(graph, {.output_nodes = {"classes:0"}}), Not(HasSubstr("Softmax")));
}

TEST(ImportTensorflow, NodesCutOffByName) {
  const std::string graph =
      node("jpeg", "DecodeJpeg") + node("c", "Cast", {"jpeg"}, {{"DstT", "type: DT_FLOAT"}}) +
      floats("w", {1, 1, 3, 1}, {1, 1, 1}) +
      node("y", "Conv2D", {"c", "w"}, {{"strides", list({1, 1, 1, 1})}, {"padding", "s: 'SAME'"}}) +
      node("z", "Relu", {"y"}) + node("end", "Unheard", {"z"});
  EXPECT_THAT(text_of(graph, {.input_nodes = {"c"}, .output_nodes = {"z"}}),
              AllOf(HasSubstr("input c: f32[N,3,?,?]"), HasSubstr("Relu")));
  EXPECT_THAT(text_of(graph, {.input_nodes = {"c:0[1,8,8,3]"}, .output_nodes = {"z"}}),
              HasSubstr("input c: f32[1,3,8,8]"));
  EXPECT_THAT(error_of(graph, {.input_nodes = {"c"}}),
              HasSubstr("1 unsupported operator: Unheard (1 node, first end)"));
  EXPECT_THAT(error_of(graph, {.output_nodes = {"z"}}),
              HasSubstr("DecodeJpeg (1 node, first jpeg; --input-nodes names"));
  EXPECT_THAT(error_of(graph, {.input_nodes = {"nobody"}, .output_nodes = {"z"}}), HasSubstr("no node called nobody"));
  EXPECT_THAT(error_of(graph, {.input_nodes = {"c[1,x]"}}), HasSubstr("expected extents"));
}

TEST(ImportTensorflow, AllMissingOperatorsAtOnce) {
  const std::string graph = placeholder("x", {1}) + node("a", "Foo", {"x"}) + node("b", "Foo", {"a"}) +
                            node("v", "VarHandleOp") + node("y", "Bar", {"b", "v"});
  EXPECT_THAT(
      error_of(graph),
      AllOf(HasSubstr("importing test.pb › 3 unsupported operators: Bar (1 node, first y), Foo (2 nodes, first a)"),
            HasSubstr("not frozen")));
}

TEST(ImportTensorflow, ElementsInEveryForm) {
  const auto c = [](const std::string& type, const std::string& elements, std::int64_t n) {
    return result_of(placeholder("x", {n}) + constant("c", type, {n}, elements) +
                         node("f", "Cast", {"c"}, {{"SrcT", "type: " + type}, {"DstT", "type: DT_FLOAT"}}) +
                         node("y", "AddV2", {"x", "f"}),
                     Tensor::zeros(DType::kF32, {n}));
  };
  EXPECT_THAT(c("DT_FLOAT", "float_val: [1, 2]", 4), ElementsAre(1, 2, 2, 2));
  EXPECT_THAT(c("DT_FLOAT", "", 2), ElementsAre(0, 0));
  EXPECT_THAT(c("DT_FLOAT", "tensor_content: '\\000\\000\\200?\\000\\000\\000@'", 2), ElementsAre(1, 2));
  EXPECT_THAT(c("DT_BFLOAT16", "half_val: [16256, 16384]", 2), ElementsAre(1, 2));
  EXPECT_THAT(c("DT_BFLOAT16", "tensor_content: '\\200?\\000@'", 2), ElementsAre(1, 2));
  EXPECT_THAT(c("DT_HALF", "half_val: [15360]", 2), ElementsAre(1, 1));
  EXPECT_THAT(c("DT_DOUBLE", "double_val: 0.5", 1), ElementsAre(0.5f));
  EXPECT_THAT(c("DT_INT8", "int_val: [-3, 4]", 2), ElementsAre(-3, 4));
  EXPECT_THAT(c("DT_INT64", "int64_val: [7]", 1), ElementsAre(7));
  EXPECT_THAT(c("DT_BOOL", "bool_val: [true, false]", 2), ElementsAre(1, 0));
}

TEST(ImportTensorflow, OrdersOfImagesCancel) {
  const std::string pool =
      node("p", "MaxPool", {"x"},
           {{"ksize", list({1, 1, 1, 1})}, {"strides", list({1, 1, 1, 1})}, {"padding", "s: 'SAME'"}});
  const std::string graph =
      placeholder("x", {1, 2, 3, 4}) + pool + integers("to", {0, 3, 1, 2}) + node("t", "Transpose", {"p", "to"});
  EXPECT_THAT(text_of(graph), AllOf(HasSubstr("output t = p"), Not(HasSubstr("Transpose"))));
}

TEST(ImportTensorflow, ResizeAndLrn) {
  const std::string size = integers("s", {2, 2});
  const auto resized = [&](const std::string& op, const std::string& flags) {
    return result_of(placeholder("x", {1, 1, 4, 1}) + integers("s", {1, 2}) +
                         node("y", op, {"x", "s"},
                              {{flags.empty() ? "align_corners" : flags, flags.empty() ? "b: false" : "b: true"}}),
                     Tensor::of<float>({1, 1, 1, 4}, {0, 1, 2, 3}));
  };
  EXPECT_THAT(resized("ResizeBilinear", ""), ElementsAre(0, 2));
  EXPECT_THAT(resized("ResizeBilinear", "align_corners"), ElementsAre(0, 3));
  EXPECT_THAT(resized("ResizeBilinear", "half_pixel_centers"), ElementsAre(0.5f, 2.5f));
  EXPECT_THAT(resized("ResizeNearestNeighbor", ""), ElementsAre(0, 2));
  EXPECT_THAT(resized("ResizeNearestNeighbor", "half_pixel_centers"), ElementsAre(1, 3));
  EXPECT_THAT(text_of(placeholder("x", {1, 1, 1, 8}) +
                      node("y", "LRN", {"x"}, {{"depth_radius", "i: 2"}, {"alpha", "f: 0.5"}})),
              AllOf(HasSubstr("size=5"), HasSubstr("alpha=2.5")));
}

}  // namespace
}  // namespace fovea::tensorflow_import
