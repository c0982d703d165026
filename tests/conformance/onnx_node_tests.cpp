// Runs the ONNX backend node tests: every folder of onnx-node-tests through the importer and then two engines, the
// reference evaluation and a compiled plan in a Session. A test passes or stands in unsupported.txt with a reason (as
// "name" for both engines, as "session/name" for the Session); a listed test that passes fails the run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "graph/patch.h"
#include "import/onnx/import_onnx.h"
#include "ops/evaluate.h"
#include "runtime/compile.h"
#include "runtime/session.h"
#include "tests/conformance/test_data.h"

namespace fovea::test {
namespace {

namespace fs = std::filesystem;

// The tolerance of ONNX's own runner is 1e-3 relative, 1e-7 absolute; the reference evaluation is held to less.
constexpr double kRelative = 1e-4;
constexpr double kAbsolute = 1e-6;

enum class Engine { kReference, kSession };
constexpr Engine kEngines[] = {Engine::kReference, Engine::kSession};
const char* engine_name(Engine engine) { return engine == Engine::kReference ? "reference" : "session"; }

struct Tally {
  int passed = 0, listed = 0, failed = 0;
};
std::map<Engine, Tally> tallies;

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

// A copy in which every graph input but the first is replaced by its value.
Result<Graph> with_constant_parameters(const Graph& graph, const std::vector<Tensor>& inputs) {
  Graph bound = graph;
  GraphPatch patch(bound, "make parameters constant");
  for (std::size_t i = 1; i < inputs.size() && i < graph.inputs().size(); ++i) {
    const ValueId id = graph.inputs()[i];
    patch.redirect(id, patch.add_constant(graph.value(id).name + "_value", inputs[i]));
  }
  FOVEA_RETURN_IF_ERROR(std::move(patch).apply(bound));
  return bound;
}

Result<std::vector<Tensor>> run_engine(Engine engine, const Graph& graph, const std::vector<Tensor>& inputs) {
  if (engine == Engine::kReference) {
    FOVEA_TRY(Evaluation evaluation, evaluate_graph(graph, inputs));
    return std::move(evaluation.outputs);
  }
  CompileOptions options;
  for (std::size_t i = 0; i < inputs.size() && i < graph.inputs().size(); ++i)
    options.input_dims[graph.value(graph.inputs()[i]).name] = inputs[i].dims();
  auto plan = compile(graph, options);
  // A plan needs shapes that do not depend on data. Node tests give axes, sizes and pads as graph inputs; networks hold
  // them as constants, and so does the second attempt.
  if (!plan.ok()) {
    FOVEA_TRY(const Graph bound, with_constant_parameters(graph, inputs));
    FOVEA_TRY(plan, compile(bound, options));
  }
  Session session(std::move(plan).value(), 1);
  return session.run(inputs);
}

Status run_case(Engine engine, const fs::path& folder) {
  FOVEA_TRY(const Graph graph, import_onnx(folder / "model.onnx"));
  int sets = 0;
  for (; fs::exists(folder / fmt::format("test_data_set_{}", sets)); ++sets) {
    const fs::path set = folder / fmt::format("test_data_set_{}", sets);
    FOVEA_TRY(const std::vector<Tensor> inputs, read_tensors(set, "input"));
    FOVEA_TRY(const std::vector<Tensor> expected, read_tensors(set, "output"));
    FOVEA_TRY(const std::vector<Tensor> found, run_engine(engine, graph, inputs));
    if (expected.size() != found.size())
      return bad_input("expected {} outputs, found {}", expected.size(), found.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (Status status = compare(expected[i], found[i]); !status.ok())
        return std::move(status).error().within(fmt::format("output {}", i));
  }
  return sets > 0 ? Status() : bad_input("{} holds no test data set", folder.string());
}

// The entry of the list that covers a test, or nullptr.
const std::string* listed_reason(Engine engine, const std::string& name) {
  const auto& list = unsupported_tests();
  if (const auto found = list.find(name); found != list.end()) return &found->second;
  const auto found = list.find("session/" + name);
  return engine == Engine::kSession && found != list.end() ? &found->second : nullptr;
}

class NodeTest : public testing::Test {
 public:
  NodeTest(Engine engine, fs::path folder) : engine_(engine), folder_(std::move(folder)) {}
  void TestBody() override {
    const std::string name = folder_.filename().string();
    const std::string* listed = listed_reason(engine_, name);
    const Status status = run_case(engine_, folder_);
    Tally& tally = tallies[engine_];
    if (!listed) {
      ++(status.ok() ? tally.passed : tally.failed);
      EXPECT_TRUE(status.ok()) << status.error().text();
    } else {
      ++(status.ok() ? tally.failed : tally.listed);
      EXPECT_FALSE(status.ok()) << name << " passes: take it off unsupported.txt (it says: " << *listed << ")";
    }
  }

 private:
  Engine engine_;
  fs::path folder_;
};

class Summary : public testing::Environment {
 public:
  void TearDown() override {
    for (const auto& [engine, tally] : tallies)
      fmt::print("ONNX node tests, {}: {} passed, {} listed as unsupported, {} failed\n", engine_name(engine),
                 tally.passed, tally.listed, tally.failed);
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
    for (const auto& [entry, reason] : unsupported_tests()) {
      const std::string name = entry.starts_with("session/") ? entry.substr(8) : entry;
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
  for (Engine engine : kEngines)
    for (const fs::path& folder : folders)
      testing::RegisterTest(engine == Engine::kReference ? "OnnxNodeReference" : "OnnxNodeSession",
                            folder.filename().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [engine, folder]() -> testing::Test* { return new NodeTest(engine, folder); });
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
