#include "import/onnx/import_onnx.h"

#include "import/onnx/operator_table.h"
#include "import/onnx/test_models.h"

namespace fovea::onnx_import {
namespace {

using testing::HasSubstr;

TEST(ImportOnnx, NamesTypesAndMetadataAreKept) {
  auto model = model_of(13, fmt::format("input {{ {} }} output {{ {} }} node {{ name: 'first layer' op_type: 'Flatten' "
                                        "input: 'pixels' output: 'rows' attribute {{ name: 'axis' type: INT i: 1 }} }}",
                                        port("pixels", {-1, 2, 3}), port("rows", {-1, 6})));
  model.set_producer_name("maker");
  model.set_producer_version("2.1");
  auto& property = *model.add_metadata_props();
  property.set_key("labels");
  property.set_value("a,b");
  const auto graph = read(model);
  ASSERT_TRUE(graph.ok()) << graph.error().text();
  EXPECT_EQ(graph->name, "g");
  EXPECT_EQ(graph->node(0).name, "first layer");
  EXPECT_EQ(graph->value(graph->inputs()[0]).type.text(), "f32[N,2,3]");
  EXPECT_EQ(graph->value(graph->outputs()[0].value).type.text(), "f32[N,6]");
  EXPECT_EQ(graph->metadata.at("opset"), "13");
  EXPECT_EQ(graph->metadata.at("ir_version"), "7");
  EXPECT_EQ(graph->metadata.at("producer"), "maker 2.1");
  EXPECT_EQ(graph->metadata.at("labels"), "a,b");
}

TEST(ImportOnnx, InitializersThatAreInputsAreConstants) {
  const auto graph =
      read(model_of(13, fmt::format("input {{ {} }} input {{ {} }} output {{ name: 'y' }} "
                                    "node {{ op_type: 'Add' input: 'x' input: 'c' output: 'y' }} "
                                    "initializer {{ name: 'c' dims: 2 data_type: 1 float_data: [1, 2] }}",
                                    port("x", {2}), port("c", {2}))));
  ASSERT_TRUE(graph.ok()) << graph.error().text();
  EXPECT_EQ(graph->inputs().size(), 1u);
  EXPECT_TRUE(graph->value(graph->node(0).inputs[1]).is_constant());
}

TEST(ImportOnnx, LargeConstantsAreBorrowed) {
  auto model = model_of(13, fmt::format("input {{ {} }} output {{ name: 'y' }} node {{ op_type: 'Add' input: 'x' "
                                        "input: 'c' output: 'y' }} initializer {{ name: 'c' dims: 4096 data_type: 1 }}",
                                        port("x", {4096})));
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  for (int raw = 0; raw < 2; ++raw) {
    tensor.clear_raw_data();
    tensor.clear_float_data();
    if (raw)
      tensor.set_raw_data(std::string(4 * 4096, '\x01'));
    else
      for (int i = 0; i < 4096; ++i) tensor.add_float_data(1);
    const auto graph = read(model);
    ASSERT_TRUE(graph.ok()) << graph.error().text();
    // Elements that a Tensor owns start at a multiple of 64 bytes; these lie where protobuf put them, and cannot be
    // written to.
    Tensor& constant = const_cast<Tensor&>(*graph->value(graph->node(0).inputs[1]).constant);
    EXPECT_THROW((void)constant.raw(), CheckFailure);
  }
}

TEST(ImportOnnx, OpenAndUnknownExtents) {
  EXPECT_THAT(text_of(model_of(13,
                               "input { name: 'x' type { tensor_type { elem_type: 1 shape { dim { dim_param: 'batch' } "
                               "dim { dim_value: -1 } dim { } dim { dim_value: 4 } } } } } output { name: 'y' } "
                               "node { op_type: 'Relu' input: 'x' output: 'y' }")),
              HasSubstr("y: f32[batch,?,?,4] = Relu(x)"));
  EXPECT_THAT(text_of(model_of(13,
                               "input { name: 'x' type { tensor_type { elem_type: 1 } } } output { name: 'y' } "
                               "node { op_type: 'Relu' input: 'x' output: 'y' }")),
              HasSubstr("y: f32[*] = Relu(x)"));
}

TEST(ImportOnnx, ClaimsStandInWhereNothingIsInferred) {
  EXPECT_THAT(
      text_of(model_of(13, "input { name: 'x' type { tensor_type { elem_type: 1 } } } output { " + port("z", {-1, 5}) +
                               "} node { op_type: 'Relu' input: 'x' output: 'y' } value_info {" + port("y", {-1, 5}) +
                               "} node { op_type: 'Neg' input: 'y' output: 'z' }")),
      HasSubstr("y: f32[N,5] = Relu(x)\nz: f32[N,5] = Neg(y)"));
}

TEST(ImportOnnx, BothNamesOfTheDefaultDomain) {
  auto model = model_of(13, "input {" + port("x", {2}) +
                                "} output { name: 'y' } "
                                "node { op_type: 'Relu' domain: 'ai.onnx' input: 'x' output: 'y' }");
  model.mutable_opset_import(0)->set_domain("ai.onnx");
  EXPECT_TRUE(read(model).ok()) << error_of(model);
}

TEST(ImportOnnx, ErrorsOfShapeRulesNameFileAndNode) {
  EXPECT_THAT(
      error_of(model_of(13, "input {" + port("x", {2, 3}) +
                                "} output { name: 'y' } "
                                "node { name: 'product' op_type: 'MatMul' input: 'x' input: 'x' output: 'y' }")),
      HasSubstr("importing test.onnx › node product (MatMul) ›"));
}

TEST(ImportOnnx, TensorsFromTestCases) {
  onnx::TensorProto proto;
  proto.set_data_type(onnx::TensorProto::INT16);
  proto.add_dims(2);
  proto.add_int32_data(-5);
  proto.add_int32_data(5);
  const auto tensor = read_onnx_tensor(bytes_of(proto));
  ASSERT_TRUE(tensor.ok()) << tensor.error().text();
  EXPECT_EQ(tensor->type().text(), "s16[2]");
  EXPECT_EQ(tensor->to_int64s(), (std::vector<std::int64_t>{-5, 5}));
}

TEST(ImportOnnx, SixteenBitFloatsKeepTheirBits) {
  for (int dtype : {onnx::TensorProto::FLOAT16, onnx::TensorProto::BFLOAT16}) {
    onnx::TensorProto proto;
    proto.set_data_type(dtype);
    proto.add_dims(1);
    proto.add_int32_data(0xc000);  // -2 in both
    EXPECT_EQ(read_onnx_tensor(bytes_of(proto))->to_floats(), std::vector<float>{-2});
    proto.clear_int32_data();
    proto.set_raw_data(std::string("\x00\xc0", 2));
    EXPECT_EQ(read_onnx_tensor(bytes_of(proto))->to_floats(), std::vector<float>{-2});
  }
}

// The rows of one operator leave no gap between them and do not overlap, and what is kept as it is exists.
TEST(OperatorTable, IsSound) {
  for (const OperatorRow& row : operator_table()) {
    EXPECT_LE(row.since, row.until) << row.op;
    if (row.map == map_same) {
      EXPECT_NE(find_op(row.op), nullptr) << row.op;
    }
    for (const OperatorRow& other : operator_table()) {
      if (other.op != row.op || &other == &row) continue;
      EXPECT_TRUE(other.until < row.since || row.until < other.since) << row.op << " has overlapping rows";
      if (&other == &row + 1) {
        EXPECT_EQ(row.until + 1, other.since) << row.op << " has a gap";
      }
    }
  }
}

TEST(OperatorTable, EveryPortableOperatorCanBeRead) {
  for (const OpSpec& op : op_table())
    if (!op.name.starts_with("Fused")) {
      EXPECT_NE(find_operator(op.name, kLastOpset), nullptr) << op.name;
    }
}

}  // namespace
}  // namespace fovea::onnx_import
