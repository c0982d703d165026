// The shared quantised models in integers: every layer against its exact definition on the bytes that it really gets,
// and the same bytes for every ISA, number of threads and batch.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "import/onnx/import_onnx.h"
#include "ops/evaluate.h"
#include "ops/infer.h"
#include "passes/pass.h"
#include "runtime/compile.h"
#include "runtime/session.h"
#include "tests/conformance/npy.h"

namespace fovea::test {
namespace {

struct Case {
  const char* model;  // file in models/
  const char* input;  // file in golden/
  float mean, scale;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.model; }

constexpr Case kCases[] = {
    {"mobilenet_v1_0.25_128_qdq", "128", 127.5f, 1 / 127.5f},
    {"cifar10_resnet8_qdq", "32", 0, 1},
    {"mobilenet_v3_small_1.0_224_qdq", "224", 127.5f, 1 / 127.5f},
};

bool is_integer_op(std::string_view op) {
  return op == "FusedQConv" || op == "FusedQBinary" || op == "FusedQAveragePool" || op == "FusedLookup";
}

Result<Tensor> run(const Graph& graph, std::span<const Tensor> inputs, int threads, Isa isa) {
  CompileOptions options;
  options.batch = inputs[0].dim(0);
  options.precision = is_quantised(graph) ? Precision::kInt8 : Precision::kFp32;
  options.plan.cpu = detect_cpu().limited_to(isa);
  options.plan.threads = threads;
  FOVEA_TRY(auto plan, compile(graph, options));
  Session session(std::move(plan), threads);
  FOVEA_TRY(std::vector<Tensor> outputs, session.run(inputs));
  return std::move(outputs[0]);
}

// A graph of one node: constants stay, everything else becomes an input.
struct Layer {
  Graph graph;
  std::vector<Tensor> inputs;
};
Layer isolate(const Graph& graph, const Node& node, const std::map<std::string, Tensor>& values) {
  GraphBuilder builder("layer");
  Layer out;
  std::vector<ValueId> operands;
  for (ValueId v : node.inputs) {
    if (v == kNoValue) {
      operands.push_back(kNoValue);
      continue;
    }
    const Value& value = graph.value(v);
    operands.push_back(value.is_constant() ? builder.constant(value.name, value.constant)
                                           : builder.input(value.name, value.type));
    if (!value.is_constant()) out.inputs.push_back(values.at(value.name));
  }
  builder.output("y", builder.call(node.op, node.name, operands, node.attributes));
  out.graph = std::move(builder).finish().value();
  EXPECT_TRUE(infer_graph(out.graph).ok());
  return out;
}

struct Differences {
  std::int64_t elements = 0, by_one = 0;
};
void count(const Tensor& expected, const Tensor& found, Differences& differences) {
  ASSERT_EQ(expected.type().text(), found.type().text());
  if (expected.dtype() == DType::kF32) {
    for (std::size_t i = 0; i < expected.as<float>().size(); ++i)
      ASSERT_NEAR(expected.as<float>()[i], found.as<float>()[i], 1e-5 * (1 + std::abs(expected.as<float>()[i])));
    return;
  }
  const auto e = expected.as<std::uint8_t>(), f = found.as<std::uint8_t>();
  differences.elements += std::ssize(e);
  for (std::size_t i = 0; i < e.size(); ++i) {
    ASSERT_LE(std::abs(e[i] - f[i]), 1) << "element " << i << ": " << int(e[i]) << " and " << int(f[i]);
    differences.by_one += e[i] != f[i];
  }
}

class QuantisedLayers : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto path = data_folder() / "models" / fmt::format("{}.onnx", GetParam().model);
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << " (set FOVEA_TEST_DATA)";
    auto graph = import_onnx(path);
    ASSERT_TRUE(graph.ok()) << graph.error().text();
    graph_ = std::move(graph).value();
    auto pixels = read_npy(data_folder() / "golden" / fmt::format("input_u8_nhwc_{}.npy", GetParam().input));
    ASSERT_TRUE(pixels.ok()) << pixels.error().text();
    Tensor nhwc = pixels->cast(DType::kF32);
    for (float& v : nhwc.as<float>()) v = (v - GetParam().mean) * GetParam().scale;
    const Dims d = nhwc.dims();
    batch_ = Tensor(DType::kF32, {d[0], d[3], d[1], d[2]});
    for (std::int64_t b = 0; b < d[0]; ++b)
      for (std::int64_t p = 0; p < d[1] * d[2]; ++p)
        for (std::int64_t c = 0; c < d[3]; ++c)
          batch_.as<float>()[static_cast<std::size_t>((b * d[3] + c) * d[1] * d[2] + p)] =
              nhwc.as<float>()[static_cast<std::size_t>((b * d[1] * d[2] + p) * d[3] + c)];
  }
  Tensor image(std::int64_t index) const {
    Dims dims = batch_.dims();
    const auto each = static_cast<std::size_t>(batch_.count() / dims[0]);
    dims[0] = 1;
    return Tensor::of<float>(dims, batch_.as<float>().subspan(static_cast<std::size_t>(index) * each, each));
  }

  Graph graph_;
  Tensor batch_;
};

// f32 arithmetic may round a tie the other way than the exact definition does: by one unit, and rarely.
TEST_P(QuantisedLayers, AgreeWithTheirDefinition) {
  auto lowered = specialise(graph_, 1);
  ASSERT_TRUE(lowered.ok());
  PassOptions passes;
  ASSERT_TRUE(run_passes(*lowered, Stage::kPortable, passes).ok());
  ASSERT_TRUE(run_passes(*lowered, Stage::kTarget, passes).ok());
  const Tensor input = image(0);
  const auto exact = evaluate_graph(*lowered, std::span(&input, 1), true);
  ASSERT_TRUE(exact.ok()) << exact.error().text();
  Differences differences;
  int layers = 0;
  for (const Node& node : lowered->nodes()) {
    if (!node.alive || !is_integer_op(node.op)) continue;
    SCOPED_TRACE(node.name);
    const Layer layer = isolate(*lowered, node, exact->values);
    const auto found = run(layer.graph, layer.inputs, 2, detect_cpu().best());
    ASSERT_TRUE(found.ok()) << found.error().text();
    count(exact->values.at(lowered->value(node.outputs[0]).name), *found, differences);
    if (HasFatalFailure()) return;
    ++layers;
  }
  fmt::print("{}: {} layers, {} bytes, {} differ by one\n", GetParam().model, layers, differences.elements,
             differences.by_one);
  EXPECT_GE(layers, 9);
  EXPECT_LE(differences.by_one * 1000, differences.elements);
}

TEST_P(QuantisedLayers, BytesDependOnNothingButTheImage) {
  const auto whole = run(graph_, std::span(&batch_, 1), 1, detect_cpu().best());
  ASSERT_TRUE(whole.ok()) << whole.error().text();
  const auto classes = static_cast<std::size_t>(whole->count() / batch_.dim(0));
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vnni}) {
    if (!detect_cpu().has(isa)) continue;
    for (const int threads : {1, 2, 3}) {
      if (isa == Isa::kScalar && threads > 1) continue;  // slow
      SCOPED_TRACE(fmt::format("{}, {} thread(s)", isa_name(isa), threads));
      const Tensor last = image(batch_.dim(0) - 1);
      const auto alone = run(graph_, std::span(&last, 1), threads, isa);
      ASSERT_TRUE(alone.ok()) << alone.error().text();
      // The softmax at the end is in floats; everything before it is the same to the bit.
      const auto expected = whole->as<float>().last(classes), found = alone->as<float>();
      for (std::size_t i = 0; i < classes; ++i) ASSERT_NEAR(expected[i], found[i], isa < Isa::kAvx512 ? 1e-6f : 0) << i;
    }
  }
}

std::string test_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.model;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, QuantisedLayers, testing::ValuesIn(kCases), test_name);

}  // namespace
}  // namespace fovea::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
