// Runs the ONNX backend node tests: every folder of onnx-node-tests through the importer and the reference evaluation.
// A test passes or stands in unsupported.txt with a reason; a listed test that passes fails the run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "import/onnx/import_onnx.h"
#include "ops/evaluate.h"
#include "tests/conformance/test_data.h"

namespace fovea::test {
namespace {

namespace fs = std::filesystem;

// The tolerance of ONNX's own runner is 1e-3 relative, 1e-7 absolute; the reference evaluation is held to less.
constexpr double kRelative = 1e-4;
constexpr double kAbsolute = 1e-6;

struct Tally {
  int passed = 0, listed = 0, failed = 0;
};
Tally tally;

// Lines "name: reason"; '#' starts a comment.
std::map<std::string, std::string> read_unsupported(const fs::path& path) {
  std::map<std::string, std::string> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(": ");
    if (line.empty() || line[0] == '#') continue;
    EXPECT_NE(colon, std::string::npos) << path << ": expected 'name: reason', found '" << line << "'";
    if (colon != std::string::npos) out[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return out;
}

const std::map<std::string, std::string>& unsupported_tests() {
  static const auto list = read_unsupported(fs::path(FOVEA_SOURCE_DIR) / "tests/conformance/unsupported.txt");
  return list;
}

Status compare(const Tensor& expected, const Tensor& found) {
  if (!(expected.type() == found.type()))
    return bad_input("expected {}, found {}", expected.type().text(), found.type().text());
  const Tensor e = is_float(expected.dtype()) ? expected.cast(DType::kF64) : expected.cast(DType::kS64);
  const Tensor f = is_float(found.dtype()) ? found.cast(DType::kF64) : found.cast(DType::kS64);
  for (std::int64_t i = 0; i < e.count(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (e.dtype() == DType::kS64) {
      if (e.as<std::int64_t>()[k] == f.as<std::int64_t>()[k]) continue;
      return bad_input("element {}: expected {}, found {}", i, e.as<std::int64_t>()[k], f.as<std::int64_t>()[k]);
    }
    const double want = e.as<double>()[k], got = f.as<double>()[k];
    if (want == got || (std::isnan(want) && std::isnan(got))) continue;
    // 16-bit floats are compared at their own resolution.
    const double relative = size_of(expected.dtype()) == 2 ? 2e-3 : kRelative;
    if (!(std::abs(want - got) <= kAbsolute + relative * std::abs(want)))
      return bad_input("element {}: expected {}, found {}", i, want, got);
  }
  return {};
}

Result<std::vector<Tensor>> read_tensors(const fs::path& folder, const std::string& stem) {
  std::vector<Tensor> out;
  for (int i = 0; fs::exists(folder / fmt::format("{}_{}.pb", stem, i)); ++i) {
    const auto bytes = read_file(folder / fmt::format("{}_{}.pb", stem, i));
    FOVEA_TRY(Tensor tensor, read_onnx_tensor(bytes));
    out.push_back(std::move(tensor));
  }
  return out;
}

Status run_case(const fs::path& folder) {
  FOVEA_TRY(const Graph graph, import_onnx(folder / "model.onnx"));
  int sets = 0;
  for (; fs::exists(folder / fmt::format("test_data_set_{}", sets)); ++sets) {
    const fs::path set = folder / fmt::format("test_data_set_{}", sets);
    FOVEA_TRY(const std::vector<Tensor> inputs, read_tensors(set, "input"));
    FOVEA_TRY(const std::vector<Tensor> expected, read_tensors(set, "output"));
    FOVEA_TRY(const Evaluation evaluation, evaluate_graph(graph, inputs));
    if (expected.size() != evaluation.outputs.size())
      return bad_input("expected {} outputs, found {}", expected.size(), evaluation.outputs.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (Status status = compare(expected[i], evaluation.outputs[i]); !status.ok())
        return std::move(status).error().within(fmt::format("output {}", i));
  }
  return sets > 0 ? Status() : bad_input("{} holds no test data set", folder.string());
}

class NodeTest : public testing::Test {
 public:
  explicit NodeTest(fs::path folder) : folder_(std::move(folder)) {}
  void TestBody() override {
    const std::string name = folder_.filename().string();
    const auto listed = unsupported_tests().find(name);
    const Status status = run_case(folder_);
    if (listed == unsupported_tests().end()) {
      ++(status.ok() ? tally.passed : tally.failed);
      EXPECT_TRUE(status.ok()) << status.error().text();
    } else {
      ++(status.ok() ? tally.failed : tally.listed);
      EXPECT_FALSE(status.ok()) << name << " passes: take it off unsupported.txt (it says: " << listed->second << ")";
    }
  }

 private:
  fs::path folder_;
};

class Summary : public testing::Environment {
 public:
  void TearDown() override {
    fmt::print("ONNX node tests: {} passed, {} listed as unsupported, {} failed\n", tally.passed, tally.listed,
               tally.failed);
  }
};

class MissingData : public testing::Test {
 public:
  void TestBody() override { GTEST_SKIP() << "no ONNX node tests in " << data_folder() << " (set FOVEA_TEST_DATA)"; }
};

// A listed test that does not exist is a typing mistake, or was removed.
class UnsupportedList : public testing::Test {
 public:
  void TestBody() override {
    for (const auto& [name, reason] : unsupported_tests()) {
      EXPECT_TRUE(fs::exists(data_folder() / "onnx-node-tests" / name)) << "no test is called " << name;
      EXPECT_FALSE(reason.empty()) << name << " is listed without a reason";
    }
  }
};

void register_tests() {
  const fs::path root = data_folder() / "onnx-node-tests";
  if (!fs::is_directory(root)) {
    testing::RegisterTest("OnnxNode", "missing", nullptr, nullptr, __FILE__, __LINE__,
                          []() -> testing::Test* { return new MissingData; });
    return;
  }
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root)) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  for (const fs::path& folder : folders)
    testing::RegisterTest("OnnxNode", folder.filename().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [folder]() -> testing::Test* { return new NodeTest(folder); });
  testing::RegisterTest("OnnxNode", "unsupported_list", nullptr, nullptr, __FILE__, __LINE__,
                        []() -> testing::Test* { return new UnsupportedList; });
}

}  // namespace
}  // namespace fovea::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new fovea::test::Summary);
  fovea::test::register_tests();
  return RUN_ALL_TESTS();
}
