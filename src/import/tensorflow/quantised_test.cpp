// Quantised operators: which numbers their bytes stand for.
#include "import/tensorflow/test_graphs.h"

namespace fovea::tensorflow_import {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Not;

std::string scalar(const std::string& name, float value) { return floats(name, {}, {value}); }

std::string range(const std::string& name, float low, float high) {
  return scalar(name + "_min", low) + scalar(name + "_max", high);
}

std::string quantize(float low, float high, const std::string& type, const std::string& mode) {
  return range("x", low, high) +
         node("q", "QuantizeV2", {"x", "x_min", "x_max"}, {{"T", "type: " + type}, {"mode", "s: '" + mode + "'"}});
}

std::string dequantize(const std::string& of, const std::string& mode) {
  return node("y", "Dequantize", {of, of + ":1", of + ":2"}, {{"mode", "s: '" + mode + "'"}});
}

std::vector<float> round_trip_of(float low, float high, const std::string& type, const std::string& mode,
                                 std::initializer_list<float> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  return result_of(placeholder("x", {n}) + quantize(low, high, type, mode) + dequantize("q", mode),
                   Tensor::of<float>({n}, std::span(values.begin(), values.size())));
}

TEST(Quantised, ModesOfQuantizeV2) {
  EXPECT_THAT(round_trip_of(-127, 127, "DT_QINT8", "SCALED", {1.4f, -127, 200}), ElementsAre(1, -127, 127));
  EXPECT_THAT(round_trip_of(-10, 127, "DT_QINT8", "SCALED", {-20.4f}), ElementsAre(-20));
  EXPECT_THAT(round_trip_of(0, 255, "DT_QUINT8", "SCALED", {3.4f, -5, 300}), ElementsAre(3, 0, 255));
  // 100 steps below 0, 155 above.
  EXPECT_THAT(round_trip_of(-100, 155, "DT_QUINT8", "MIN_FIRST", {-200, 0.4f, 155}), ElementsAre(-100, 0, 155));
  EXPECT_THAT(round_trip_of(-100, 155, "DT_QUINT8", "MIN_COMBINED", {7.3f}), ElementsAre(7));
  // 0 is always in the range.
  EXPECT_THAT(round_trip_of(51, 255, "DT_QUINT8", "MIN_FIRST", {10}), ElementsAre(10));
  EXPECT_THAT(text_of(placeholder("x", {1}) + quantize(-100.5f, 154.5f, "DT_QUINT8", "MIN_COMBINED") +
                      dequantize("q", "MIN_COMBINED")),
              HasSubstr("0 is not one of its 256 numbers"));
  EXPECT_THAT(text_of(placeholder("x", {1}) + quantize(0, 1, "DT_QUINT8", "OTHER") + dequantize("q", "OTHER")),
              HasSubstr("attribute mode: expected SCALED, MIN_FIRST or MIN_COMBINED"));
}

// x[1,1,1,2] in signed bytes of unit 1, two filters with units 1 and 0.5, bias, and a frozen range of unit 1.
const std::string kConvStart = placeholder("x", {1, 1, 1, 2}) + quantize(-127, 127, "DT_QINT8", "SCALED") +
                               constant("w", "DT_QINT8", {1, 1, 2, 2}, "int_val: [1, 2, 3, -4]") +
                               floats("b", {2}, {10, 20}) + floats("w_min", {2}, {-127, -63.5f}) +
                               floats("w_max", {2}, {127, 63.5f}) + range("out", 0, 255) +
                               constant("sums", "DT_QINT32", {2}, "int_val: [10, 40]");
const std::vector<std::pair<std::string, std::string>> kConvAttributes = {
    {"strides", list({1, 1, 1, 1})}, {"padding", "s: 'SAME'"}, {"padding_list", list({})}};
const Tensor kTwo = Tensor::of<float>({1, 2, 1, 1}, {5, -3});

std::string fused_conv(const std::string& name, const std::string& op, const std::string& bias,
                       const std::vector<std::string>& more) {
  std::vector<std::string> inputs = {"q", "w", bias, "q:1", "q:2", "w_min", "w_max", "out_min", "out_max"};
  inputs.insert(inputs.end(), more.begin(), more.end());
  return node(name, op, inputs, kConvAttributes);
}

TEST(Quantised, ConvolutionsWithFrozenRanges) {
  // Sums: 5 * 1 - 3 * 3 + 10 = 6, and 5 * 1 + 3 * 2 + 20 = 31.
  const std::string conv = kConvStart + fused_conv("c", "QuantizedConv2DWithBiasAndReluAndRequantize", "b", {});
  EXPECT_THAT(result_of(conv + dequantize("c", "SCALED"), kTwo), ElementsAre(6, 31));
  EXPECT_THAT(text_of(conv + dequantize("c", "SCALED")),
              AllOf(HasSubstr("{axis=0}"), HasSubstr("Relu"), HasSubstr("s8[2,2,1,1]")));
  // A bias in units of the sums: 10 * 1 and 40 * 0.5.
  const std::string sums = kConvStart + fused_conv("c", "QuantizedConv2DWithBiasAndReluAndRequantize", "sums", {});
  EXPECT_THAT(result_of(sums + dequantize("c", "SCALED"), kTwo), ElementsAre(6, 31));
}

TEST(Quantised, SumsAreAddedBeforeTheRelu) {
  const std::string conv = kConvStart + fused_conv("r", "QuantizedConv2DWithBiasAndReluAndRequantize", "b", {});
  const std::string sum =
      conv + fused_conv("c", "QuantizedConv2DWithBiasSumAndReluAndRequantize", "b", {"r", "r:1", "r:2"});
  EXPECT_THAT(result_of(sum + dequantize("c", "SCALED"), kTwo), ElementsAre(12, 62));
  // The signed summand is x itself: [5, -3].
  const std::string add =
      kConvStart + fused_conv("c", "QuantizedConv2DWithBiasSignedSumAndReluAndRequantize", "b", {"q", "q:1", "q:2"});
  EXPECT_THAT(result_of(add + dequantize("c", "SCALED"), kTwo), ElementsAre(11, 28));
}

TEST(Quantised, SumsThatAreRoundedLater) {
  const std::string conv =
      kConvStart +
      node("c", "QuantizedConv2DWithBias", {"q", "w", "b", "q:1", "q:2", "w_min", "w_max"}, kConvAttributes) +
      node("d", "RequantizePerChannel", {"c", "c:1", "c:2", "out_min", "out_max"}, {{"out_type", "type: DT_QUINT8"}});
  EXPECT_THAT(result_of(conv + dequantize("d", "SCALED"), kTwo), ElementsAre(6, 31));
  EXPECT_THAT(error_of(conv + node("e", "RequantizationRangePerChannel", {"c", "c:1", "c:2"}) +
                       node("f", "Requantize", {"c", "c:1", "c:2", "e", "e:1"})),
              HasSubstr("ranges are to be constants"));
}

TEST(Quantised, DepthwiseConvolution) {
  const std::string graph =
      placeholder("x", {1, 1, 1, 2}) + quantize(0, 255, "DT_QUINT8", "SCALED") +
      constant("w", "DT_QINT8", {1, 1, 2, 1}, "int_val: [2, 4]") + floats("b", {2}, {1, 2}) +
      floats("w_min", {2}, {-127, -63.5f}) + floats("w_max", {2}, {127, 63.5f}) + range("out", 0, 255) +
      fused_conv("c", "QuantizedDepthwiseConv2DWithBiasAndReluAndRequantize", "b", {}) + dequantize("c", "SCALED");
  EXPECT_THAT(result_of(graph, Tensor::of<float>({1, 2, 1, 1}, {5, 7})), ElementsAre(11, 16));
}

TEST(Quantised, PoolsAndConcatenation) {
  const std::string window = "list { i: [1, 1, 2, 1] }";
  const std::string start = placeholder("x", {1, 1, 2, 1}) + quantize(0, 255, "DT_QUINT8", "SCALED");
  const auto pool = [&](const std::string& op) {
    return node("p", op, {"q", "q:1", "q:2"}, {{"ksize", window}, {"strides", window}, {"padding", "s: 'VALID'"}});
  };
  const Tensor x = Tensor::of<float>({1, 1, 1, 2}, {3, 4});
  EXPECT_THAT(result_of(start + pool("QuantizedMaxPool") + dequantize("p", "SCALED"), x), ElementsAre(4));
  EXPECT_THAT(result_of(start + pool("QuantizedAvgPool") + dequantize("p", "SCALED"), x), ElementsAre(4));
  const std::string joined =
      start + range("z", 0, 510) +
      node("r", "QuantizeV2", {"x", "z_min", "z_max"}, {{"T", "type: DT_QUINT8"}, {"mode", "s: 'SCALED'"}}) +
      integer("axis", 3) +
      node("c", "QuantizedConcatV2", {"q", "r", "axis", "q:1", "r:1", "q:2", "r:2"}, {{"N", "i: 2"}}) +
      dequantize("c", "SCALED");
  // Units of 1 and 2 become units of 2.
  EXPECT_THAT(result_of(joined, Tensor::of<float>({1, 1, 2, 1}, {3, 6})), ElementsAre(4, 4, 6, 6));
}

TEST(Quantised, MatrixProducts) {
  const std::string graph = placeholder("x", {1, 2}) + quantize(-100, 155, "DT_QUINT8", "MIN_FIRST") +
                            constant("w", "DT_QINT8", {2, 2}, "int_val: [1, 2, 3, -4]") + floats("b", {2}, {10, 20}) +
                            floats("w_min", {}, {-127}) + floats("w_max", {}, {127}) + range("out", 0, 255) +
                            node("m", "QuantizedMatMulWithBiasAndReluAndRequantize",
                                 {"q", "w", "b", "q:1", "q:2", "w_min", "w_max", "out_min", "out_max"},
                                 {{"input_quant_mode", "s: 'MIN_FIRST'"}}) +
                            dequantize("m", "SCALED");
  EXPECT_THAT(result_of(graph, Tensor::of<float>({1, 2}, {5, -3})), ElementsAre(6, 42));
}

TEST(Quantised, WeightsQuantisedInTheGraphAndFakeQuant) {
  const std::string graph =
      placeholder("x", {1, 1, 1, 1}) + floats("w", {1, 1, 1, 2}, {0.3f, 1}) + range("w", -1, 1) +
      node("f", "FakeQuantWithMinMaxVars", {"w", "w_min", "w_max"}) +
      node("y", "Conv2D", {"x", "f"}, {{"strides", list({1, 1, 1, 1})}, {"padding", "s: 'SAME'"}});
  EXPECT_THAT(text_of(graph),
              AllOf(HasSubstr("u8[2,1,1,1]"), HasSubstr("DequantizeLinear"), Not(HasSubstr("QuantizeLinear(w"))));
  // TensorFlow: scale 2/255, zero nudged to 128, so the numbers are -1.0039… to 0.99608.
  EXPECT_THAT(result_of(graph, Tensor::of<float>({1, 1, 1, 1}, {1})),
              ElementsAre(FloatNear(38 * 2 / 255.0f, 1e-6f), FloatNear(127 * 2 / 255.0f, 1e-6f)));
  const std::string values =
      placeholder("x", {3}) + range("v", 0, 255) + node("y", "FakeQuantWithMinMaxVars", {"x", "v_min", "v_max"});
  EXPECT_THAT(result_of(values, Tensor::of<float>({3}, {-4, 1.2f, 400})), ElementsAre(0, 1, 255));
  EXPECT_THAT(error_of(placeholder("x", {3}) + range("v", 0, 255) +
                       node("y", "FakeQuantWithMinMaxVars", {"x", "v_min", "v_max"}, {{"num_bits", "i: 4"}})),
              HasSubstr("attributes num_bits and narrow_range: expected 8 and false"));
}

TEST(Quantised, BytesReadWithAnotherRange) {
  const std::string graph = placeholder("x", {2}) + quantize(0, 255, "DT_QUINT8", "SCALED") + range("o", 0, 510) +
                            node("y", "Dequantize", {"q", "o_min", "o_max"}, {{"mode", "s: 'SCALED'"}});
  EXPECT_THAT(result_of(graph, Tensor::of<float>({2}, {3, 255})), ElementsAre(6, 510));
}

TEST(Quantised, WrongRangesAreErrors) {
  EXPECT_THAT(error_of(placeholder("x", {1}) + placeholder("m", {}) +
                       node("q", "QuantizeV2", {"x", "m", "m"}, {{"T", "type: DT_QINT8"}})),
              HasSubstr("node q (QuantizeV2) › input 1 (min): expected a constant"));
  EXPECT_THAT(error_of(placeholder("x", {1}) + constant("m", "DT_FLOAT", {}, "float_val: nan") +
                       node("q", "QuantizeV2", {"x", "m", "m"}, {{"T", "type: DT_QINT8"}, {"mode", "s: 'SCALED'"}})),
              HasSubstr("node q (QuantizeV2)"));
  EXPECT_THAT(error_of(kConvStart + node("d", "Dequantize", {"x", "out_min", "out_max"}, {{"mode", "s: 'SCALED'"}})),
              HasSubstr("input 0: expected quantised elements, found f32"));
  EXPECT_THAT(error_of(kConvStart + floats("three", {3}, {1, 2, 3}) +
                       node("c", "QuantizedConv2DWithBiasAndReluAndRequantize",
                            {"q", "w", "b", "q:1", "q:2", "three", "three", "out_min", "out_max"}, kConvAttributes)),
              HasSubstr("range of 1 or of 2 filters, found 3"));
}

}  // namespace
}  // namespace fovea::tensorflow_import
