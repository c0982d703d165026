// The shared models on the shared golden inputs against the outputs that ONNX Runtime gave for them, through compiled
// Sessions, and for the smallest models through the reference evaluation too.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "import/onnx/import_onnx.h"
#include "ops/evaluate.h"
#include "runtime/compile.h"
#include "runtime/session.h"
#include "tests/conformance/npy.h"

namespace fovea::test {
namespace {

// x = (pixel - mean) * scale per channel, NCHW; channels reversed for BGR.
struct Normalise {
  float mean[3];
  float scale[3];
  bool bgr = false;
};
constexpr Normalise kTorch{{123.675f, 116.28f, 103.53f}, {1 / 58.395f, 1 / 57.12f, 1 / 57.375f}};
constexpr Normalise kSymmetric{{127.5f, 127.5f, 127.5f}, {1 / 127.5f, 1 / 127.5f, 1 / 127.5f}};
constexpr Normalise kCaffe{{104, 117, 123}, {1, 1, 1}, true};
constexpr Normalise kRaw{{0, 0, 0}, {1, 1, 1}};
constexpr Normalise kRawBgr{{0, 0, 0}, {1, 1, 1}, true};

// What must hold of the outputs: close in value, or for quantised models the same answer.
struct Case {
  const char* model;  // file in models/, without .onnx or .onnx.gz
  const char* input;  // file in golden/
  Normalise normalise;
  std::vector<const char*> outputs;
  double tolerance;  // largest absolute error; of quantised models the median of the errors
  bool quantised = false;
  bool reference = false;  // small enough for the reference evaluation
};
// Names of parameterised tests show the model only.
void PrintTo(const Case& c, std::ostream* out) { *out << c.model; }

const Case kCases[] = {
    {"resnet50_v1.5_fp32", "224", kTorch, {"logits"}, 1e-3},
    {"resnet18_fp32", "224", kTorch, {"logits"}, 1e-3},
    {"mobilenet_v1_1.0_224_fp32", "224", kSymmetric, {"prob"}, 1e-4},
    {"mobilenet_v1_0.25_128_fp32", "128", kSymmetric, {"prob"}, 1e-4, false, true},
    {"mobilenet_v2_1.0_224_fp32", "224", kSymmetric, {"prob"}, 1e-4},
    {"mobilenet_v3_small_1.0_224_fp32", "224", kSymmetric, {"prob"}, 1e-4},
    {"squeezenet_v1.1_fp32", "227", kCaffe, {"prob"}, 1e-4},
    {"cifar10_resnet8_fp32", "32", kRaw, {"prob"}, 1e-4, false, true},
    {"ssd_mobilenet_v1_coco_300_fp32", "300_ssd", kSymmetric, {"boxes", "scores"}, 1e-4},
    {"yolox_nano", "416_yolox", kRawBgr, {"output"}, 1e-3},
    {"mobilenet_v1_1.0_224_qdq", "224", kSymmetric, {"prob"}, 1e-3, true},
    {"mobilenet_v1_0.25_128_qdq", "128", kSymmetric, {"prob"}, 1e-3, true, true},
    {"mobilenet_v2_1.0_224_qdq", "224", kSymmetric, {"prob"}, 1e-3, true},
    {"mobilenet_v3_small_1.0_224_qdq", "224", kSymmetric, {"prob"}, 1e-3, true},
    {"cifar10_resnet8_qdq", "32", kRaw, {"prob"}, 1e-3, true, true},
    {"ssd_mobilenet_v1_coco_300_qdq", "300_ssd", kSymmetric, {"boxes", "scores"}, 5e-3, true},
};

std::filesystem::path model_file(const std::string& name) {
  const auto folder = data_folder() / "models";
  return std::filesystem::exists(folder / (name + ".onnx")) ? folder / (name + ".onnx") : folder / (name + ".onnx.gz");
}

Tensor normalised(const Tensor& pixels, const Normalise& n) {
  const std::int64_t batch = pixels.dim(0), height = pixels.dim(1), width = pixels.dim(2), area = height * width;
  Tensor out(DType::kF32, {batch, 3, height, width});
  const auto from = pixels.as<std::uint8_t>();
  const auto to = out.as<float>();
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t c = 0; c < 3; ++c)
      for (std::int64_t p = 0; p < area; ++p) {
        const auto pixel = static_cast<float>(from[static_cast<std::size_t>((b * area + p) * 3 + (n.bgr ? 2 - c : c))]);
        to[static_cast<std::size_t>((b * 3 + c) * area + p)] = (pixel - n.mean[c]) * n.scale[c];
      }
  return out;
}

Result<std::vector<Tensor>> run_session(const Graph& graph, const Tensor& input, int threads,
                                        Precision precision = Precision::kFp32) {
  CompileOptions options;
  options.precision = precision;
  options.batch = input.dim(0);
  options.plan.threads = threads;
  FOVEA_TRY(auto plan, compile(graph, options));
  Session session(std::move(plan), threads);
  return session.run(std::span(&input, 1));
}

// The elements of the images in the batch one behind the other.
std::span<const float> image_of(const Tensor& t, std::int64_t image) {
  const auto all = t.as<float>();
  const std::size_t each = all.size() / static_cast<std::size_t>(t.dim(0));
  return all.subspan(static_cast<std::size_t>(image) * each, each);
}

std::size_t top(std::span<const float> scores) {
  return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

void expect_close(const Tensor& expected, const Tensor& found, double tolerance) {
  ASSERT_EQ(expected.type().text(), found.type().text());
  const auto e = expected.as<float>(), f = found.as<float>();
  double worst = 0;
  for (std::size_t i = 0; i < e.size(); ++i) {
    const double error = std::abs(static_cast<double>(e[i]) - static_cast<double>(f[i]));
    worst = std::isnan(error) ? HUGE_VAL : std::max(worst, error);
  }
  testing::Test::RecordProperty("largest_error", fmt::format("{:.2e}", worst));
  EXPECT_LE(worst, tolerance);
}

// The same winner for every image, where the output has one (coordinates of boxes have none). Rounding at the edge of a
// quantisation step moves single values by a step, and what follows from them, so the values are compared by the median
// of their errors.
void expect_same_answer(const Tensor& expected, const Tensor& found, double tolerance, bool has_winner) {
  ASSERT_EQ(expected.type().text(), found.type().text());
  for (std::int64_t image = 0; image < expected.dim(0); ++image) {
    const auto e = image_of(expected, image), f = image_of(found, image);
    if (has_winner) {
      EXPECT_EQ(top(e), top(f)) << "image " << image;
    }
    std::vector<double> errors;
    for (std::size_t i = 0; i < e.size(); ++i)
      errors.push_back(std::abs(static_cast<double>(e[i]) - static_cast<double>(f[i])));
    const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
    std::nth_element(errors.begin(), middle, errors.end());
    EXPECT_LE(*middle, tolerance) << "image " << image;
  }
}

class GoldenTensors : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(model_file(GetParam().model)))
      GTEST_SKIP() << "no model " << GetParam().model << " in " << data_folder() << " (set FOVEA_TEST_DATA)";
    auto graph = import_onnx(model_file(GetParam().model));
    ASSERT_TRUE(graph.ok()) << graph.error().text();
    graph_ = std::move(graph).value();
    auto pixels = read_npy(data_folder() / "golden" / fmt::format("input_u8_nhwc_{}.npy", GetParam().input));
    ASSERT_TRUE(pixels.ok()) << pixels.error().text();
    input_ = normalised(*pixels, GetParam().normalise);
  }

  void check(const Result<std::vector<Tensor>>& found, std::int64_t images) {
    const Case& c = GetParam();
    ASSERT_TRUE(found.ok()) << found.error().text();
    ASSERT_EQ(found->size(), c.outputs.size());
    for (std::size_t i = 0; i < c.outputs.size(); ++i) {
      auto golden = read_npy(data_folder() / "golden" / fmt::format("{}.{}.npy", c.model, c.outputs[i]));
      ASSERT_TRUE(golden.ok()) << golden.error().text();
      const Tensor expected = first_images(*golden, images);
      if (c.quantised)
        expect_same_answer(expected, (*found)[i], c.tolerance, std::string_view(c.outputs[i]) != "boxes");
      else
        expect_close(expected, (*found)[i], c.tolerance);
    }
  }

  static Tensor first_images(const Tensor& batch, std::int64_t images) {
    Dims dims = batch.dims();
    dims[0] = images;
    return Tensor::of<float>(dims, batch.as<float>().first(static_cast<std::size_t>(element_count(dims))));
  }

  Graph graph_;
  Tensor input_;
};

TEST_P(GoldenTensors, Session) { check(run_session(graph_, input_, 1), input_.dim(0)); }

TEST_P(GoldenTensors, SessionOfTwoThreads) { check(run_session(graph_, input_, 2), input_.dim(0)); }

class GoldenTensorsInIntegers : public GoldenTensors {};

TEST_P(GoldenTensorsInIntegers, Session) {
  check(run_session(graph_, input_, 2, Precision::kInt8), input_.dim(0));
}

class GoldenTensorsByReference : public GoldenTensors {};

TEST_P(GoldenTensorsByReference, FirstImage) {
  const Tensor image = first_images(input_, 1);
  const auto evaluation = evaluate_graph(graph_, std::span(&image, 1));
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().text();
  check(evaluation->outputs, 1);
}

std::string test_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.model;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

std::vector<Case> cases_with(bool Case::*property) {
  std::vector<Case> out;
  std::copy_if(std::begin(kCases), std::end(kCases), std::back_inserter(out),
               [&](const Case& c) { return c.*property; });
  return out;
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTensors, testing::ValuesIn(kCases), test_name);
INSTANTIATE_TEST_SUITE_P(SmallModels, GoldenTensorsByReference, testing::ValuesIn(cases_with(&Case::reference)), test_name);
INSTANTIATE_TEST_SUITE_P(QuantisedModels, GoldenTensorsInIntegers, testing::ValuesIn(cases_with(&Case::quantised)),
                         test_name);

}  // namespace
}  // namespace fovea::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
