// Feeds seeded mutants of small ONNX models to the importer and, where they are accepted, to shape inference, the
// writer, the reference evaluation and a compiled Session. No mutant may crash, break an invariant, take more than a
// second or more memory than allowed; a sanitizer build finds the rest. Usage: fuzz_onnx_mutation [--count N] [--seed
// S] [--max-mib M] [--only I] [--save FOLDER] Mutant I of seed S is always the same: --only I runs it alone. The mutant
// at work lies in FOLDER/onnx-mutant.onnx; after a crash or a complaint it stays there.
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <string_view>

#include "export/onnx/export_onnx.h"
#include "import/onnx/import_onnx.h"
#include "ops/evaluate.h"
#include "ops/infer.h"
#include "runtime/compile.h"
#include "runtime/session.h"
#include "tests/fuzz/onnx_mutator.h"

namespace fovea::fuzz {
namespace {

// What is evaluated must be small: the reference evaluation is slow, and more so under a sanitizer.
constexpr double kMaxWork = 1e6;
constexpr double kMaxElements = 3e5;

// Rough number of inner loop steps of evaluating a node; infinite where a shape is open.
double work_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  double largest = 1;
  for (const auto* values : {&node.inputs, &node.outputs})
    for (ValueId v : *values) {
      if (v == kNoValue) continue;
      const auto dims = graph.value(v).type.shape.fixed();
      if (!dims) return HUGE_VAL;
      largest = std::max(largest, static_cast<double>(element_count(*dims)));
    }
  double steps = largest + node_cost(graph, id).macs;
  if (node.op == "NonMaxSuppression") return largest * largest;
  if (const auto kernel = node.attributes.find("kernel_shape"); kernel != node.attributes.end())
    if (const auto* extents = std::get_if<std::vector<std::int64_t>>(&kernel->second))
      for (std::int64_t e : *extents) steps *= std::max<double>(1, static_cast<double>(e));
  if (const auto size = node.attributes.find("size"); size != node.attributes.end() && node.op == "LRN")
    if (const auto* extent = std::get_if<std::int64_t>(&size->second))
      steps *= std::max<double>(1, static_cast<double>(*extent));
  return steps;
}

bool is_small(const Graph& graph) {
  double work = 0, elements = 0;
  for (NodeId id : graph.topological_order()) {
    work += work_of(graph, id);
    if (work > kMaxWork) return false;  // also where a shape is open
    for (ValueId v : graph.node(id).outputs)
      if (v != kNoValue) elements += static_cast<double>(element_count(*graph.value(v).type.shape.fixed()));
    if (elements > kMaxElements) return false;
  }
  for (ValueId v : graph.inputs())
    if (static_cast<double>(element_count(*graph.value(v).type.shape.fixed())) > kMaxElements) return false;
  return true;
}

// Binds whatever is open to 2.
Result<Graph> bind(const Graph& graph) {
  std::map<std::string, Dims> dims;
  for (ValueId v : graph.inputs()) {
    Dims extents;
    const Shape& shape = graph.value(v).type.shape;
    for (const Dim& d : shape.dims()) extents.push_back(d.is_fixed() ? d.extent() : 2);
    if (shape.is_ranked()) dims[graph.value(v).name] = std::move(extents);
  }
  return specialise(graph, 2, dims);
}

std::vector<Tensor> inputs_for(const Graph& graph, Rng& rng) {
  std::vector<Tensor> out;
  for (ValueId v : graph.inputs()) {
    const TensorType& type = graph.value(v).type;
    Tensor noise(DType::kF32, *type.shape.fixed());
    for (float& x : noise.as<float>()) x = rng.uniform(-2, 2);
    out.push_back(noise.cast(type.dtype));
  }
  return out;
}

enum Stage { kImported, kBound, kWritten, kEvaluated, kRun, kStages };
constexpr const char* kStageNames[kStages] = {"imported", "bound", "written and read again", "evaluated", "run"};
using Counts = std::array<std::uint64_t, kStages>;

// What was wrong, or nothing. Errors that the library returns are right; exceptions are not.
std::string complaint_about(const Bytes& mutant, Rng& rng, Counts& counts) try {
  const auto graph = import_onnx_bytes(mutant, "mutant");
  if (!graph.ok()) return graph.error().message().empty() ? "an error without a message" : "";
  ++counts[kImported];
  if (const auto written = export_onnx_bytes(*graph); written.ok()) {
    const auto again = import_onnx_bytes(*written, "rewritten");
    if (!again.ok()) return "what was written cannot be read: " + again.error().text();
    ++counts[kWritten];
  }
  const auto bound = bind(*graph);
  if (!bound.ok()) return "";
  ++counts[kBound];
  if (!is_small(*bound)) return "";
  const std::vector<Tensor> inputs = inputs_for(*bound, rng);
  const auto evaluation = evaluate_graph(*bound, inputs);
  if (evaluation.ok()) ++counts[kEvaluated];
  auto plan = compile(*bound, {});
  if (!plan.ok()) return "";
  Session session(std::move(plan).value(), 1);
  if (session.run(inputs).ok()) ++counts[kRun];
  return "";
} catch (const std::exception& e) {
  return fmt::format("exception: {}", e.what());
}

struct Options {
  std::uint64_t count = 20'000, seed = 1, max_mib = 2048, only = UINT64_MAX;
  std::string save = ".";
};

bool read_number(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (i + 1 == argc) return false;
    std::uint64_t* const value = flag == "--count"     ? &options.count
                                 : flag == "--seed"    ? &options.seed
                                 : flag == "--max-mib" ? &options.max_mib
                                 : flag == "--only"    ? &options.only
                                                       : nullptr;
    if (flag == "--save")
      options.save = argv[i + 1];
    else if (value == nullptr || !read_number(argv[i + 1], *value))
      return false;
  }
  return true;
}

// Processor time of this thread: a busy machine does not make a mutant slow.
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::uint64_t peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) / 1024;
}

int run(const Options& options) {
  constexpr double kSlowest_s = 1;
  const std::string current = options.save + "/onnx-mutant.onnx";
  const std::vector<Seed> seeds = onnx_seeds();
  Counts counts{};
  double slowest_s = 0;
  const std::uint64_t begin = options.only == UINT64_MAX ? 0 : options.only;
  const std::uint64_t end = options.only == UINT64_MAX ? options.count : options.only + 1;
  for (std::uint64_t i = begin; i < end; ++i) {
    Rng rng(options.seed * 0x9e3779b97f4a7c15ull + i);
    const Bytes mutant = mutate_onnx(seeds, i, rng);
    std::ofstream(current, std::ios::binary)
        .write(reinterpret_cast<const char*>(mutant.data()), static_cast<std::streamsize>(mutant.size()));
    const double begin_s = cpu_seconds();
    std::string complaint = complaint_about(mutant, rng, counts);
    const double taken_s = cpu_seconds() - begin_s;
    slowest_s = std::max(slowest_s, taken_s);
    if (complaint.empty() && taken_s > kSlowest_s) complaint = fmt::format("took {:.2f} s", taken_s);
    if (complaint.empty() && peak_mib() > options.max_mib) complaint = fmt::format("peak memory is {} MiB", peak_mib());
    if (!complaint.empty()) {
      fmt::print(stderr, "mutant {} of seed {} (from {}, kept in {}): {}\n", i, options.seed,
                 seeds[i % seeds.size()].name, current, complaint);
      return 1;
    }
  }
  std::remove(current.c_str());
  fmt::print("onnx: {} mutants of {} models, slowest {:.0f} ms, peak {} MiB;", end - begin, seeds.size(),
             slowest_s * 1e3, peak_mib());
  for (int stage = 0; stage < kStages; ++stage)
    fmt::print(" {} {}{}", counts[static_cast<std::size_t>(stage)], kStageNames[stage],
               stage + 1 < kStages ? "," : "\n");
  return 0;
}

}  // namespace
}  // namespace fovea::fuzz

int main(int argc, char** argv) {
  fovea::fuzz::Options options;
  if (!fovea::fuzz::read_options(argc, argv, options)) {
    fmt::print(stderr, "usage: {} [--count N] [--seed S] [--max-mib M] [--only I] [--save FOLDER]\n", argv[0]);
    return 2;
  }
  return fovea::fuzz::run(options);
}
