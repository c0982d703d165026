// The tactics on bytes against the reference evaluation: small graphs, each ISA, one and two threads, images in either
// physical order. Every ISA, thread count and batch must give the same bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "backends/cpu/cpu_backend.h"
#include "base/rng.h"
#include "graph/text.h"
#include "ops/evaluate.h"
#include "ops/infer.h"
#include "passes/pass.h"
#include "plan/plan.h"
#include "runtime/session.h"

namespace fovea {
namespace {

struct Case {
  const char* tactic;  // that must have run
  const char* body;    // of a graph
  int off_by = 0;      // how far a byte may be from the reference's, in fp32 ties are decided a little differently
};

const Case kCases[] = {
    {"lookup", "input x: u8[2,7,5,3]\nconst t: u8[256] = seed(1)\ny = FusedLookup(x, t)\noutput y\n"},
    {"lookup",
     "input x: u8[2,40,35,33]\nconst t: u8[256] = seed(1)\np = MaxPool(x) {kernel_shape=[1,1]}\n"
     "a = FusedLookup(p, t)\ny = FusedLookup(a, t)\noutput y\noutput p\n"},
    {"lookup", "input x: u8[3,77]\nconst t: u8[256] = seed(2)\ny = FusedLookup(x, t)\noutput y\n"},
    {"q_binary",
     "input a: u8[2,7,5,3]\ninput b: u8[2,7,5,3]\ny = FusedQBinary(a, b) {function=\"add\", a_scale=0.02, "
     "a_zero_point=128, b_scale=0.05, b_zero_point=3, y_scale=0.0413, y_zero_point=77}\noutput y\n",
     1},
    {"q_binary",
     "input a: u8[2,40,35,33]\ninput b: u8[2,40,35,33]\ny = FusedQBinary(a, b) {function=\"mul\", "
     "a_scale=0.02, a_zero_point=128, b_scale=0.05, b_zero_point=120, y_scale=0.0413, y_zero_point=77, "
     "activation=\"relu\"}\noutput y\n",
     1},
    {"q_binary",
     "input a: u8[2,24,35,33]\ninput b: u8[2,24,1,1]\ny = FusedQBinary(a, b) {function=\"mul\", "
     "a_scale=0.02, a_zero_point=128, b_scale=0.004, b_zero_point=0, y_scale=0.01237, y_zero_point=100}\n"
     "output y\n",
     1},
    {"q_binary",
     "input a: u8[2,9,6,5]\nconst b: u8[1,9,1,1] = seed(5)\ny = FusedQBinary(a, b) {function=\"add\", "
     "a_scale=0.5, b_scale=0.25, b_zero_point=200, y_scale=0.5, y_zero_point=9, activation=\"clip\", "
     "activation_params=[-3.0, 6.0]}\noutput y\n"},
    {"q_binary",
     "input a: u8[2,9,6,5]\nconst b: u8[2,9,6,5] = seed(5)\ny = FusedQBinary(a, b) {function=\"add\", "
     "a_scale=0.5, b_scale=0.25, y_scale=1.0, y_zero_point=9}\noutput y\n"},
    {"q_average_pool",
     "input x: u8[2,70,5,3]\ny = FusedQAveragePool(x) {global=1, x_scale=0.1, x_zero_point=90, "
     "y_scale=0.0531, y_zero_point=33}\noutput y\n",
     1},
    {"q_average_pool",
     "input x: u8[2,300,20,19]\ny = FusedQAveragePool(x) {global=1, x_scale=0.1, x_zero_point=90}\n"
     "output y\n"},
    {"q_average_pool",
     "input x: u8[2,33,25,27]\ny = FusedQAveragePool(x) {kernel_shape=[3,3], strides=[2,1], "
     "pads=[1,1,1,1], count_include_pad=1, x_scale=0.1, x_zero_point=90, y_scale=0.1, "
     "y_zero_point=90}\noutput y\n",
     1},
    {"q_average_pool",
     "input x: u8[1,5,9,8]\ny = FusedQAveragePool(x) {kernel_shape=[2,2], strides=[2,2], ceil_mode=1, "
     "x_scale=1.0, x_zero_point=3, y_scale=1.0, y_zero_point=4}\noutput y\n"},
    {"q_average_pool",
     "input x: u8[1,5,9,8]\ny = FusedQAveragePool(x) {kernel_shape=[3,2], auto_pad=\"SAME_UPPER\", "
     "x_scale=1.0, x_zero_point=3}\noutput y\n"},
    {"pool_windows",
     "input x: u8[2,67,19,18]\ny = MaxPool(x) {kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]}\noutput y\n"},
    {"pool_windows",
     "input x: u8[1,5,9,8]\ny = MaxPool(x) {kernel_shape=[2,3], strides=[2,1], ceil_mode=1}\noutput y\n"},
    {"concat_rows",
     "input x: u8[2,64,9,7]\ninput z: u8[2,24,9,7]\nconst k: u8[2,3,9,7] = seed(1)\n"
     "p = MaxPool(x) {kernel_shape=[1,1]}\ny = Concat(p, k, z) {axis=1}\noutput y\n"},
    {"concat_rows", "input x: u8[2,5,3,4]\ninput z: u8[2,5,2,4]\ny = Concat(x, z) {axis=-2}\noutput y\n"},
    {"strided_copy", "input x: u8[2,5,3,4]\ny = Transpose(x) {perm=[0,2,3,1]}\noutput y\n"},
    {"strided_copy",
     "input x: u8[2,5,6,7]\nconst s: s64[2] = {5, 1}\nconst e: s64[2] = {-9, 4}\nconst a: s64[2] = {2, 1}\n"
     "const t: s64[2] = {-2, 1}\ny = Slice(x, s, e, a, t)\noutput y\n"},
    {"q_average_pool",
     "input x: u8[2,6,3,4]\nconst s: s64[2] = {2, -1}\nf = Flatten(x)\nr = Reshape(x, s)\n"
     "g = FusedQAveragePool(x) {global=1, x_scale=0.1, y_scale=0.1}\nh = Flatten(g)\n"
     "output f\noutput r\noutput h\n",
     1},
    {"quantize_linear",
     "input x: f32[2,3,70,69]\nconst s: f32[] = {0.0187}\nconst z: u8[] = {114}\n"
     "y = QuantizeLinear(x, s, z)\noutput y\n"},
    {"quantize_linear", "input x: f32[2,8,7,9]\nconst s: f32[1] = {0.02}\ny = QuantizeLinear(x, s)\noutput y\n"},
    {"quantize_linear",
     "input x: f32[2,11,70,69]\nconst s: f32[] = {0.031}\nconst z: u8[] = {100}\n"
     "y = QuantizeLinear(x, s, z)\noutput y\n"},
    {"quantize_linear",
     "input x: f32[2,3,7,9]\nconst s: f32[3] = {0.02, 0.03, 0.01}\nconst z: u8[3] = {100, 3, 200}\n"
     "y = QuantizeLinear(x, s, z) {axis=1}\noutput y\n"},
    {"quantize_linear",
     "input x: f32[3,77]\nconst s: f32[] = {0.02}\nconst z: u8[] = {100}\ny = QuantizeLinear(x, s, z)\noutput y\n"},
    {"quantize_linear",
     "input x: f32[2,3,7,9]\nconst s: f32[] = {0.02}\nconst z: s8[] = {-3}\ny = QuantizeLinear(x, s, z)\noutput y\n"},
    {"dequantize_linear",
     "input x: u8[2,13,7,9]\nconst s: f32[] = {0.02}\nconst z: u8[] = {100}\n"
     "y = DequantizeLinear(x, s, z)\noutput y\n"},
};

Graph parsed(const char* body) {
  auto graph = parse_graph(std::string("graph g\n") + body);
  if (!graph.ok()) throw CheckFailure(graph.error().text());
  if (const Status inferred = infer_graph(*graph); !inferred.ok()) throw CheckFailure(inferred.error().text());
  return std::move(graph).value();
}

std::vector<Tensor> seeded_inputs(const Graph& graph) {
  std::vector<Tensor> inputs;
  Rng rng(17);
  for (ValueId id : graph.inputs()) {
    Tensor t(graph.value(id).type.dtype, *graph.value(id).type.shape.fixed());
    if (t.dtype() == DType::kU8) {
      for (auto& v : t.as<std::uint8_t>()) v = static_cast<std::uint8_t>(rng.below(256));
    } else {
      for (float& v : t.as<float>()) v = rng.normal();
    }
    inputs.push_back(std::move(t));
  }
  return inputs;
}

std::shared_ptr<const Plan> planned(const Graph& graph, Layout input_layout, Isa isa) {
  Graph lowered = graph;
  PassOptions passes;
  passes.input_layout = input_layout;
  if (const Status done = run_pass(lowered, "assign_layouts", passes); !done.ok())
    throw CheckFailure(done.error().text());
  PlanOptions options;
  options.cpu = detect_cpu().limited_to(isa);
  const Backend* backends[] = {&cpu_backend()};
  auto plan = make_plan(lowered, backends, options);
  if (!plan.ok()) throw CheckFailure(plan.error().text());
  return std::move(plan).value();
}

std::vector<Tensor> computed(const std::shared_ptr<const Plan>& plan, const std::vector<Tensor>& inputs, int threads) {
  std::vector<Tensor> given;
  for (std::size_t i = 0; i < inputs.size(); ++i) given.push_back(inputs[i].in_layout(plan->inputs[i].layout));
  Session session(plan, threads);
  auto found = session.run(given);
  if (!found.ok()) throw CheckFailure(found.error().text());
  return std::move(found).value();
}

bool ran(const Plan& plan, std::string_view tactic) {
  return std::any_of(plan.steps.begin(), plan.steps.end(),
                     [&](const PlannedStep& s) { return s.decision.chosen == tactic; });
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.dims() == b.dims() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

// Bytes at most `off_by` from the reference's, and only a few that far; floats within their last bits.
void expect_agreement(const Tensor& expected, const Tensor& found, int off_by) {
  ASSERT_EQ(expected.dims(), found.dims());
  ASSERT_EQ(expected.dtype(), found.dtype());
  if (expected.dtype() == DType::kF32) {
    for (std::size_t i = 0; i < expected.as<float>().size(); ++i)
      ASSERT_NEAR(expected.as<float>()[i], found.as<float>()[i], 1e-6f * (1 + std::abs(expected.as<float>()[i]))) << i;
    return;
  }
  const auto e = expected.to_int64s(), f = found.to_int64s();
  std::size_t different = 0;
  for (std::size_t i = 0; i < e.size(); ++i) {
    ASSERT_LE(std::abs(e[i] - f[i]), off_by) << "element " << i << ": " << e[i] << ", found " << f[i];
    different += e[i] != f[i];
  }
  EXPECT_LE(different, 1 + e.size() / 300);
}

class QuantisedTactics : public testing::TestWithParam<Isa> {};

TEST_P(QuantisedTactics, AgreeWithTheReference) {
  if (!detect_cpu().has(GetParam())) GTEST_SKIP() << "this CPU has no " << isa_name(GetParam());
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.body);
    const Graph graph = parsed(c.body);
    const auto inputs = seeded_inputs(graph);
    const auto expected = evaluate_graph(graph, inputs);
    ASSERT_TRUE(expected.ok()) << expected.error().text();
    const auto scalar = computed(planned(graph, Layout::kRowMajor, Isa::kScalar), inputs, 1);
    for (Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
      const auto plan = planned(graph, layout, GetParam());
      EXPECT_TRUE(ran(*plan, c.tactic));
      for (int threads : {1, 2}) {
        const auto found = computed(plan, inputs, threads);
        ASSERT_EQ(found.size(), expected->outputs.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          expect_agreement(expected->outputs[i], found[i], c.off_by);
          EXPECT_TRUE(same_bytes(scalar[i], found[i])) << "output " << i << " differs from the scalar kernels'";
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, QuantisedTactics,
                         testing::Values(Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vbmi),
                         [](const auto& info) { return std::string(isa_name(info.param)); });

std::vector<std::string> chosen(const Plan& plan) {
  std::vector<std::string> names;
  for (const PlannedStep& step : plan.steps) names.push_back(step.decision.chosen);
  return names;
}

using Names = std::vector<std::string>;

TEST(QuantisedPlans, QuantiseAnImageInOnePass) {
  const Graph graph = parsed(
      "input x: f32[1,3,8,8]\nconst s: f32[] = {0.02}\nconst z: u8[] = {9}\nq = QuantizeLinear(x, s, z)\n"
      "p = MaxPool(q) {kernel_shape=[2,2]}\ny = FusedQAveragePool(p) {global=1, x_scale=0.02}\noutput y\n");
  for (Layout layout : {Layout::kRowMajor, Layout::kChannelsLast})
    EXPECT_EQ(chosen(*planned(graph, layout, Isa::kAvx512)),
              (Names{"quantize_linear", "pool_windows", "q_average_pool", "copy"}));  // to where the caller wants it
}

// The whole way of pixels: the table of each channel is looked up while the image is copied, and for a convolution of
// groups before it; every ISA and team gives the same bytes.
TEST(QuantisedPlans, LookPixelsUpInTheFirstConvolution) {
  const std::string tail =
      "const m: f32[6] = splat(0.002)\nconst t: u8[3,256] = seed(2)\n"
      "y = FusedQConv(x, w, m, _, _, _, t) {pads=[1,1,2,2], strides=[2,2], x_zero_point=131, y_scale=0.2, "
      "y_zero_point=120}\noutput y\n";
  const Graph folded = parsed(("input x: u8[2,3,19,23]\nconst w: s8[6,3,3,3] = seed(1)\n" + tail).c_str());
  const Graph apart = parsed(
      "input x: u8[2,3,19,23]\nconst w: s8[6,1,3,3] = seed(1)\nconst m: f32[6] = splat(0.002)\n"
      "const t: u8[3,256] = seed(2)\nl = FusedLookup(x, t)\n"
      "y = FusedQConv(l, w, m) {group=3, x_zero_point=131, y_scale=0.2, y_zero_point=120}\noutput y\n");
  for (const Graph* graph : {&folded, &apart}) {
    const auto inputs = seeded_inputs(*graph);
    const auto expected = evaluate_graph(*graph, inputs);
    ASSERT_TRUE(expected.ok()) << expected.error().text();
    const auto scalar = computed(planned(*graph, Layout::kChannelsLast, Isa::kScalar), inputs, 1);
    expect_agreement(expected->outputs[0], scalar[0], 1);
    for (const Isa isa : {Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vnni}) {
      if (!detect_cpu().has(isa)) continue;
      for (const Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
        const auto plan = planned(*graph, layout, isa);
        EXPECT_TRUE(ran(*plan, graph == &folded ? "qconv_first" : "lookup"));
        for (const int threads : {1, 2, 3})
          EXPECT_TRUE(same_bytes(scalar[0], computed(plan, inputs, threads)[0])) << isa_name(isa) << ' ' << threads;
      }
    }
  }
}

TEST(QuantisedPlans, QuantiseOtherTensorsInTheirOrder) {
  const Graph graph = parsed(
      "input x: f32[1,19,1,4]\nconst s: f32[] = {0.02}\nq = QuantizeLinear(x, s)\ny = DequantizeLinear(q, s)\noutput "
      "y\n");
  EXPECT_EQ(chosen(*planned(graph, Layout::kRowMajor, Isa::kAvx512)), (Names{"quantize_linear", "dequantize_linear"}));
}

TEST(QuantisedPlans, FlatteningBytesIsFree) {
  const Graph graph = parsed(
      "input x: u8[2,8,4,4]\nconst t: u8[256] = seed(1)\nconst s: s64[2] = {2, 8}\n"
      "g = FusedQAveragePool(x) {global=1, x_scale=0.1, y_scale=0.1}\nf = Flatten(g)\nl = FusedLookup(f, t)\n"
      "r = Reshape(l, s)\ny = FusedLookup(r, t)\noutput y\n");
  const auto plan = planned(graph, Layout::kChannelsLast, Isa::kAvx512);
  EXPECT_EQ(chosen(*plan), (Names{"q_average_pool", "lookup", "lookup"}));
  EXPECT_LE(plan->arena_bytes, 64);  // the lookups work in place
}

TEST(QuantisedPlans, SayWhyTacticsDoNotApply) {
  const auto reason = [](const char* body, std::string_view tactic) -> std::string {
    Graph graph = parsed(body);
    PlanOptions options;
    const Backend* backends[] = {&cpu_backend()};
    const auto plan = make_plan(graph, backends, options);
    if (plan.ok()) return ran(**plan, tactic) ? "" : "another tactic ran";
    return plan.error().text();
  };
  EXPECT_NE(reason("input x: u8[4]\ninput t: u8[256]\ny = FusedLookup(x, t)\noutput y\n", "lookup")
                .find("the table is not constant"),
            std::string::npos);
  EXPECT_NE(
      reason("input a: u8[4]\ninput b: u8[4]\ny = FusedQBinary(a, b) {function=\"add\", a_scale=1.0, b_scale=1.0, "
             "y_scale=0.0001}\noutput y\n",
             "q_binary")
          .find("exceed the result's"),
      std::string::npos);
  EXPECT_NE(reason("input x: u8[1,1,3000,3000]\ny = FusedQAveragePool(x) {global=1, x_scale=1.0}\noutput y\n",
                   "q_average_pool")
                .find("9000000 pixels a window"),
            std::string::npos);
  EXPECT_NE(
      reason("input x: u8[1,1,30]\ny = FusedQAveragePool(x) {global=1, x_scale=1.0}\noutput y\n", "q_average_pool")
          .find("rank 3, for 4"),
      std::string::npos);
}

// What an image becomes does not depend on the images beside it.
TEST(QuantisedPlans, BatchesGiveTheBytesOfSingleImages) {
  const char* text =
      "input x: f32[{0},3,33,31]\nconst s: f32[] = {{0.02}}\nconst z: u8[] = {{9}}\nconst t: u8[256] = seed(1)\n"
      "q = QuantizeLinear(x, s, z)\nl = FusedLookup(q, t)\n"
      "a = FusedQBinary(q, l) {{function=\"add\", a_scale=0.02, b_scale=0.03, y_scale=0.05, y_zero_point=4}}\n"
      "p = FusedQAveragePool(a) {{kernel_shape=[3,3], strides=[2,2], x_scale=0.05, x_zero_point=4, y_scale=0.05, "
      "y_zero_point=4}}\ng = FusedQAveragePool(p) {{global=1, x_scale=0.05, x_zero_point=4, y_scale=0.05}}\n"
      "y = FusedQBinary(p, g) {{function=\"mul\", a_scale=0.05, a_zero_point=4, b_scale=0.05, y_scale=0.07}}\noutput "
      "y\n";
  const Graph pair = parsed(fmt::format(fmt::runtime(text), 2).c_str()),
              single = parsed(fmt::format(fmt::runtime(text), 1).c_str());
  const Tensor images = seeded_inputs(pair)[0];
  const Isa best = detect_cpu().best();
  const Tensor both = computed(planned(pair, Layout::kRowMajor, best), {images}, 2)[0];
  for (std::int64_t i = 0; i < 2; ++i) {
    Dims dims = images.dims();
    dims[0] = 1;
    const auto count = static_cast<std::size_t>(element_count(dims));
    const Tensor one = Tensor::of<float>(dims, images.as<float>().subspan(static_cast<std::size_t>(i) * count, count));
    const Tensor found = computed(planned(single, Layout::kRowMajor, best), {one}, 1)[0];
    EXPECT_EQ(std::memcmp(found.raw(),
                          static_cast<const std::byte*>(both.raw()) + static_cast<std::size_t>(i) * found.bytes(),
                          found.bytes()),
              0);
  }
}

}  // namespace
}  // namespace fovea
