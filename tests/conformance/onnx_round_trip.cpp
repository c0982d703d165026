// Reads every shared ONNX file, writes it, and reads it again: the text must be the same and the outputs bit-equal.
// With --write FOLDER the written files are kept there, as <name>.onnx, for onnxruntime_accepts.py.
#include <gtest/gtest.h>

#include <algorithm>

#include "export/onnx/export_onnx.h"
#include "graph/text.h"
#include "import/onnx/import_onnx.h"
#include "ops/evaluate.h"
#include "ops/infer.h"
#include "tests/conformance/test_data.h"

namespace fovea::test {
namespace {

namespace fs = std::filesystem;

struct Source {
  std::string name;
  fs::path file;
  fs::path inputs;  // folder with input_*.pb, empty for whole models
};

std::vector<Source> sources() {
  std::vector<Source> out;
  const fs::path tests = data_folder() / "onnx-node-tests", models = data_folder() / "models";
  if (fs::is_directory(tests))
    for (const auto& entry : fs::directory_iterator(tests))
      out.push_back({entry.path().filename().string(), entry.path() / "model.onnx", entry.path() / "test_data_set_0"});
  if (fs::is_directory(models))
    for (const auto& entry : fs::directory_iterator(models)) {
      fs::path stem = entry.path().filename();
      while (stem.extension() == ".gz" || stem.extension() == ".onnx") stem = stem.stem();
      out.push_back({stem.string(), entry.path(), {}});
    }
  std::sort(out.begin(), out.end(), [](const Source& a, const Source& b) { return a.name < b.name; });
  return out;
}

fs::path write_folder;
constexpr TextOptions kWithValues{.constant_values = true};

std::vector<Tensor> read_inputs(const Source& source) {
  std::vector<Tensor> out;
  for (int i = 0; fs::exists(source.inputs / fmt::format("input_{}.pb", i)); ++i)
    out.push_back(*read_onnx_tensor(read_file(source.inputs / fmt::format("input_{}.pb", i))));
  return out;
}

void expect_same_bits(const Graph& one, const Graph& two, const std::vector<Tensor>& inputs) {
  const auto a = evaluate_graph(one, inputs), b = evaluate_graph(two, inputs);
  ASSERT_TRUE(a.ok()) << a.error().text();
  ASSERT_TRUE(b.ok()) << b.error().text();
  ASSERT_EQ(a->outputs.size(), b->outputs.size());
  for (std::size_t i = 0; i < a->outputs.size(); ++i) {
    ASSERT_EQ(a->outputs[i].type(), b->outputs[i].type());
    const std::size_t bytes = a->outputs[i].bytes();
    EXPECT_TRUE(bytes == 0 || std::memcmp(a->outputs[i].raw(), b->outputs[i].raw(), bytes) == 0) << "output " << i;
  }
}

// A graph that the importer refuses for a listed reason has nothing to write; the node test program judges that.
void run(const Source& source) {
  auto graph = import_onnx(source.file);
  if (!graph.ok()) GTEST_SKIP() << graph.error().text();
  const auto written = export_onnx_bytes(*graph);
  ASSERT_TRUE(written.ok()) << written.error().text();
  const auto again = import_onnx_bytes(*written, source.name);
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(to_text(*graph, kWithValues), to_text(*again, kWithValues));
  // A second writing gives the same bytes: nothing drifts.
  const auto rewritten = export_onnx_bytes(*again);
  ASSERT_TRUE(rewritten.ok()) << rewritten.error().text();
  EXPECT_TRUE(*written == *rewritten) << "writing twice gives different files";
  if (!source.inputs.empty()) expect_same_bits(*graph, *again, read_inputs(source));
  if (write_folder.empty()) return;
  fs::create_directories(write_folder);
  const Status status = export_onnx(*graph, write_folder / (source.name + ".onnx"));
  EXPECT_TRUE(status.ok()) << status.error().text();
}

class RoundTrip : public testing::Test {
 public:
  explicit RoundTrip(Source source) : source_(std::move(source)) {}
  void TestBody() override { run(source_); }

 private:
  Source source_;
};

class MissingData : public testing::Test {
 public:
  void TestBody() override { GTEST_SKIP() << "no ONNX files in " << data_folder() << " (set FOVEA_TEST_DATA)"; }
};

void register_tests() {
  const std::vector<Source> all = sources();
  for (const Source& source : all)
    testing::RegisterTest("OnnxRoundTrip", source.name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [source]() -> testing::Test* { return new RoundTrip(source); });
  if (all.empty())
    testing::RegisterTest("OnnxRoundTrip", "missing", nullptr, nullptr, __FILE__, __LINE__,
                          []() -> testing::Test* { return new MissingData; });
}

}  // namespace
}  // namespace fovea::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i + 1 < argc; ++i)
    if (std::string_view(argv[i]) == "--write") fovea::test::write_folder = argv[i + 1];
  fovea::test::register_tests();
  return RUN_ALL_TESTS();
}
