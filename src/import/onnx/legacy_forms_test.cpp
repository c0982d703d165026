// Old forms of operators arrive in the canonical form of opset 21.
#include "import/onnx/test_models.h"
#include "ops/evaluate.h"

namespace fovea::onnx_import {
namespace {

using testing::HasSubstr;

// A model with input x of `dims`, one operator and output y.
onnx::ModelProto one_node(int opset, const std::vector<int>& dims, const std::string& node,
                          const std::string& more = "") {
  return model_of(opset,
                  fmt::format("input {{ {} }} output {{ name: 'y' }} node {{ {} }} {}", port("x", dims), node, more));
}
std::string ints(const std::string& name, const std::vector<int>& values) {
  return fmt::format("attribute {{ name: '{}' type: INTS ints: [{}] }}", name, fmt::join(values, ","));
}
std::string integer(const std::string& name, int value) {
  return fmt::format("attribute {{ name: '{}' type: INT i: {} }}", name, value);
}

TEST(LegacyForms, ClipBoundsBecomeInputs) {
  const std::string clip = "op_type: 'Clip' input: 'x' output: 'y' ";
  EXPECT_EQ(
      text_of(one_node(6, {-1, 3},
                       clip + "attribute { name: 'max' type: FLOAT f: 6 } attribute { name: 'min' type: FLOAT f: 0 }")),
      "graph g\ninput x: f32[N,3]\nconst y_min: f32[] = {0}\nconst y_max: f32[] = {6}\n"
      "y: f32[N,3] = Clip(x, y_min, y_max)\noutput y\n");
  EXPECT_THAT(text_of(one_node(10, {2}, clip + "attribute { name: 'max' type: FLOAT f: 6 }")),
              HasSubstr("Clip(x, _, y_max)"));
}

TEST(LegacyForms, ClipBoundsHaveTheTypeOfTheirOperand) {
  EXPECT_THAT(text_of(model_of(9, "input {" + port("x", {2}, onnx::TensorProto::FLOAT16) +
                                      "} output { name: 'y' } node { op_type: 'Relu' input: 'x' output: 'r' } "
                                      "node { op_type: 'Clip' input: 'r' output: 'y' "
                                      "attribute { name: 'min' type: FLOAT f: 1 } }")),
              HasSubstr("const y_min: f16[] = {1}"));
}

TEST(LegacyForms, AxesBecomeInputs) {
  EXPECT_THAT(text_of(one_node(11, {-1, 3, 1, 1}, "op_type: 'Squeeze' input: 'x' output: 'y' " + ints("axes", {2, 3}))),
              HasSubstr("const y_axes: s64[2] = {2, 3}\ny: f32[N,3] = Squeeze(x, y_axes)"));
  EXPECT_THAT(text_of(one_node(7, {2, 3}, "op_type: 'Unsqueeze' input: 'x' output: 'y' " + ints("axes", {0}))),
              HasSubstr("y: f32[1,2,3] = Unsqueeze(x, y_axes)"));
  for (const char* op : {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2"})
    EXPECT_THAT(text_of(one_node(12, {2, 3, 4},
                                 fmt::format("op_type: '{}' input: 'x' output: 'y' ", op) + ints("axes", {-1}) +
                                     integer("keepdims", 0))),
                HasSubstr(fmt::format("y: f32[2,3] = {}(x, y_axes) {{keepdims=0}}", op)));
  EXPECT_THAT(text_of(one_node(17, {2, 3}, "op_type: 'ReduceMean' input: 'x' output: 'y' ")),
              HasSubstr("y: f32[1,1] = ReduceMean(x)\n"));
}

TEST(LegacyForms, PadAttributesBecomeInputs) {
  EXPECT_THAT(text_of(one_node(10, {1, 2},
                               "op_type: 'Pad' input: 'x' output: 'y' " + ints("pads", {0, 1, 0, 2}) +
                                   "attribute { name: 'value' type: FLOAT f: 0.5 }")),
              HasSubstr("const y_pads: s64[4] = {0, 1, 0, 2}\nconst y_value: f32[] = {0.5}\n"
                        "y: f32[1,5] = Pad(x, y_pads, y_value)"));
  EXPECT_THAT(text_of(one_node(7, {1, 2}, "op_type: 'Pad' input: 'x' output: 'y' ")),
              HasSubstr("node y (Pad) › attribute pads: missing"));
}

TEST(LegacyForms, SliceAttributesBecomeInputs) {
  EXPECT_THAT(text_of(one_node(9, {4, 6},
                               "op_type: 'Slice' input: 'x' output: 'y' " + ints("starts", {1}) + ints("ends", {-1}) +
                                   ints("axes", {1}))),
              HasSubstr("y: f32[4,4] = Slice(x, y_starts, y_ends, y_axes)"));
  EXPECT_THAT(
      text_of(one_node(9, {4, 6},
                       "op_type: 'Slice' input: 'x' output: 'y' " + ints("starts", {1, 0}) + ints("ends", {3, 2}))),
      HasSubstr("y: f32[2,2] = Slice(x, y_starts, y_ends)"));
}

TEST(LegacyForms, SplitSizesBecomeAnInput) {
  const std::string outputs = "output { name: 'z' }";
  EXPECT_THAT(text_of(one_node(
                  11, {6, 2}, "op_type: 'Split' input: 'x' output: 'y' output: 'z' " + ints("split", {2, 4}), outputs)),
              HasSubstr("y: f32[2,2], z: f32[4,2] = Split(x, y_split)"));
  EXPECT_THAT(text_of(one_node(11, {6, 2}, "op_type: 'Split' input: 'x' output: 'y' output: 'z' ", outputs)),
              HasSubstr("y: f32[3,2], z: f32[3,2] = Split(x)"));
}

TEST(LegacyForms, TopKAttributeBecomesAnInput) {
  EXPECT_THAT(text_of(one_node(7, {2, 5}, "op_type: 'TopK' input: 'x' output: 'y' output: 'i' " + integer("k", 3))),
              HasSubstr("const y_k: s64[1] = {3}\ny: f32[2,3], i: s64[2,3] = TopK(x, y_k)"));
}

TEST(LegacyForms, DropoutKeepsItsRatioAndLosesItsMask) {
  EXPECT_THAT(text_of(one_node(7, {2},
                               "op_type: 'Dropout' input: 'x' output: 'y' output: 'mask' "
                               "attribute { name: 'ratio' type: FLOAT f: 0.25 }")),
              HasSubstr("const y_ratio: f32[] = {0.25}\ny: f32[2] = Dropout(x, y_ratio)"));
}

TEST(LegacyForms, DropoutInTrainingIsRefused) {
  const std::string node = "op_type: 'Dropout' input: 'x' input: '' input: 'train' output: 'y' ";
  const auto flag = [](int value) {
    return fmt::format("initializer {{ name: 'train' data_type: 9 int32_data: {} }}", value);
  };
  EXPECT_THAT(text_of(one_node(13, {2}, node, flag(0))), HasSubstr("y: f32[2] = Dropout(x)\n"));
  EXPECT_THAT(text_of(one_node(13, {2}, node, flag(1))), HasSubstr("training_mode: expected false, found true"));
}

TEST(LegacyForms, UpsampleBecomesResize) {
  const std::string scales = "attribute { name: 'scales' type: FLOATS floats: [1, 1, 2, 2] }";
  EXPECT_THAT(text_of(one_node(7, {1, 2, 3, 3}, "op_type: 'Upsample' input: 'x' output: 'y' " + scales)),
              HasSubstr("y: f32[1,2,6,6] = Resize(x, _, y_scales) {coordinate_transformation_mode=\"asymmetric\", "
                        "mode=\"nearest\", nearest_mode=\"floor\"}"));
  const std::string initializer = "initializer { name: 's' dims: 4 data_type: 1 float_data: [1, 1, 2, 2] }";
  EXPECT_THAT(text_of(one_node(9, {1, 2, 3, 3},
                               "op_type: 'Upsample' input: 'x' input: 's' output: 'y' "
                               "attribute { name: 'mode' type: STRING s: 'linear' }",
                               initializer)),
              HasSubstr("y: f32[1,2,6,6] = Resize(x, _, s)"));
}

TEST(LegacyForms, ResizeOfOpset10SamplesAsymmetrically) {
  const auto resize = [](const std::string& scales) {
    return one_node(10, {1, 1, 4, 4}, "op_type: 'Resize' input: 'x' input: 's' output: 'y' ",
                    "initializer { name: 's' dims: 4 data_type: 1 float_data: [" + scales + "] }");
  };
  EXPECT_THAT(text_of(resize("1, 1, 2, 2")), HasSubstr("nearest_mode=\"floor\""));
  EXPECT_THAT(text_of(resize("1, 1, 0.5, 0.5")), HasSubstr("nearest_mode=\"ceil\""));
  EXPECT_THAT(text_of(resize("1, 1, 0.5, 2")), HasSubstr("expected all to be at least 1"));
}

TEST(LegacyForms, EmptyResizeOperandsAreOmitted) {
  EXPECT_THAT(text_of(one_node(11, {1, 1, 4, 4},
                               "op_type: 'Resize' input: 'x' input: 'roi' input: 'none' input: 'sizes' output: 'y' ",
                               "initializer { name: 'roi' dims: 0 data_type: 1 } "
                               "initializer { name: 'none' dims: 0 data_type: 1 } "
                               "initializer { name: 'sizes' dims: 4 data_type: 7 int64_data: [1, 1, 8, 8] }")),
              HasSubstr("y: f32[1,1,8,8] = Resize(x, _, _, sizes)"));
}

TEST(LegacyForms, SoftmaxWasFlattened) {
  const std::string softmax = "op_type: 'Softmax' input: 'x' output: 'y' ";
  EXPECT_THAT(text_of(one_node(12, {-1, 10}, softmax)), HasSubstr("y: f32[N,10] = Softmax(x) {axis=1}"));
  EXPECT_THAT(text_of(one_node(12, {-1, 10, 1, 1}, softmax)), HasSubstr("Softmax(x) {axis=1}"));
  EXPECT_THAT(text_of(one_node(11, {2, 3, 4}, softmax + integer("axis", -1))), HasSubstr("Softmax(x) {axis=2}"));
  EXPECT_THAT(text_of(one_node(12, {2, 3, 4}, softmax)),
              HasSubstr("y_flat: f32[2,12] = Flatten(x) {axis=1}\ny_soft: f32[2,12] = Softmax(y_flat) {axis=1}\n"
                        "y_shape: s64[3] = Shape(x)\ny: f32[2,3,4] = Reshape(y_soft, y_shape)"));
  EXPECT_THAT(text_of(one_node(12, {2, 3}, softmax + integer("axis", 5))),
              HasSubstr("attribute axis: expected -2 to 2"));
}

TEST(LegacyForms, FlattenedSoftmaxSumsToOneOverAllTrailingAxes) {
  const auto graph = read(one_node(9, {2, 2, 3}, "op_type: 'Softmax' input: 'x' output: 'y' "));
  ASSERT_TRUE(graph.ok()) << graph.error().text();
  const std::vector<Tensor> x = {Tensor::of<float>({2, 2, 3}, {0, 1, 2, 3, 4, 5, 1, 1, 1, 1, 1, 1})};
  const auto y = evaluate_graph(*graph, x);
  ASSERT_TRUE(y.ok()) << y.error().text();
  const auto values = y->outputs[0].as<float>();
  EXPECT_NEAR(values[0] + values[1] + values[2] + values[3] + values[4] + values[5], 1, 1e-6);
  EXPECT_NEAR(values[6], 1.0 / 6, 1e-6);
}

std::string batch_norm(const std::string& rest) {
  return "op_type: 'BatchNormalization' input: 'x' input: 's' input: 's' input: 's' input: 's' output: 'y' " + rest;
}
const char* const kScale = "initializer { name: 's' dims: 2 data_type: 1 float_data: [1, 2] }";

TEST(LegacyForms, BatchNormalizationLosesItsTrainingSide) {
  EXPECT_THAT(text_of(one_node(7, {1, 2, 3, 3},
                               batch_norm("output: 'm' output: 'v' output: 'sm' output: 'sv'" + integer("spatial", 1)),
                               kScale)),
              HasSubstr("y: f32[1,2,3,3] = BatchNormalization(x, s, s, s, s)\n"));
  EXPECT_THAT(text_of(one_node(15, {1, 2, 3, 3}, batch_norm(integer("training_mode", 0)), kScale)),
              HasSubstr("BatchNormalization(x, s, s, s, s)\n"));
  EXPECT_THAT(
      text_of(one_node(15, {1, 2, 3, 3}, batch_norm("output: 'm' output: 'v' " + integer("training_mode", 1)), kScale)),
      HasSubstr("node y (BatchNormalization) › attribute training_mode: only 0 is supported, found 1"));
  EXPECT_THAT(text_of(one_node(8, {1, 2, 3, 3}, batch_norm(integer("spatial", 0)), kScale)),
              HasSubstr("attribute spatial: only 1 is supported"));
  EXPECT_THAT(
      text_of(one_node(9, {1, 2, 3, 3}, batch_norm("output: 'm'"), std::string(kScale) + "output { name: 'm' }")),
      HasSubstr("output 1: statistics of training are not supported"));
}

TEST(LegacyForms, ConstantsComeInManyForms) {
  const auto constant = [](const std::string& attribute) {
    return text_of(
        model_of(13, "output { name: 'y' } node { op_type: 'Constant' output: 'y' attribute { " + attribute + " } }"));
  };
  EXPECT_THAT(constant("name: 'value_float' type: FLOAT f: 2.5"), HasSubstr("const y: f32[] = {2.5}"));
  EXPECT_THAT(constant("name: 'value_floats' type: FLOATS floats: [1, 2]"), HasSubstr("const y: f32[2] = {1, 2}"));
  EXPECT_THAT(constant("name: 'value_int' type: INT i: -7"), HasSubstr("const y: s64[] = {-7}"));
  EXPECT_THAT(constant("name: 'value_ints' type: INTS ints: [3]"), HasSubstr("const y: s64[1] = {3}"));
  EXPECT_THAT(constant("name: 'value' type: TENSOR t { dims: 2 data_type: 2 int32_data: [1, 255] }"),
              HasSubstr("const y: u8[2] = {1, 255}"));
  EXPECT_THAT(constant("name: 'value_string' type: STRING s: 'a'"), HasSubstr("constants of texts are not supported"));
  EXPECT_THAT(constant("name: 'sparse_value' type: SPARSE_TENSOR"), HasSubstr("sparse tensors are not supported"));
  EXPECT_THAT(text_of(model_of(13, "output { name: 'y' } node { op_type: 'Constant' output: 'y' }")),
              HasSubstr("expected one attribute, the value, found 0"));
}

TEST(LegacyForms, LegacyBroadcastIsAnUnsupportedOpset) {
  EXPECT_THAT(text_of(one_node(6, {2}, "op_type: 'Add' input: 'x' input: 'x' output: 'y' " + integer("broadcast", 1))),
              HasSubstr("1 unsupported operator: Add (opset 6, 1 node, first y; read at opsets 7 to 21)"));
}

TEST(LegacyForms, SaturateOfCastIsDropped) {
  EXPECT_THAT(
      text_of(one_node(19, {2}, "op_type: 'Cast' input: 'x' output: 'y' " + integer("to", 6) + integer("saturate", 1))),
      HasSubstr("y: s32[2] = Cast(x) {to=6}"));
}

}  // namespace
}  // namespace fovea::onnx_import
