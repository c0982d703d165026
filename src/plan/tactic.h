// Tactic: one algorithm for one operator. It says whether it applies and why not, what it costs, and builds the Step.
#pragma once

#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_features.h"
#include "base/thread_pool.h"
#include "graph/graph.h"
#include "ops/op_spec.h"

namespace fovea {

// yes, or no with a reason that `fovea explain` prints.
struct Verdict {
  bool applies = true;
  std::string reason;
  static Verdict yes() { return {}; }
  template <class... Args>
  static Verdict no(fmt::format_string<Args...> format, Args&&... args) {
    return {false, fmt::format(format, std::forward<Args>(args)...)};
  }
};

// How exactly the products of a network in 32-bit floats must be computed.
enum class Math {
  kExact,         // in 32-bit floats
  kBf16Products,  // a tactic may round both factors to bfloat16; sums, bias and everything between layers stay f32
};

// What a tactic is asked about: a node of a specialised graph (every extent fixed) on one CPU.
struct TacticQuery {
  const Graph& graph;
  const Node& node;
  const CpuFeatures& cpu;
  int threads;
  Math math = Math::kExact;

  bool has(int i) const { return i < static_cast<int>(node.inputs.size()) && node.inputs[std::size_t(i)] != kNoValue; }
  const Value& input(int i) const { return graph.value(node.inputs[static_cast<std::size_t>(i)]); }
  const Value& output(int i = 0) const { return graph.value(node.outputs[static_cast<std::size_t>(i)]); }
  Dims input_dims(int i) const { return *input(i).type.shape.fixed(); }
  Dims output_dims(int i = 0) const { return *output(i).type.shape.fixed(); }
  const Tensor* constant(int i) const { return has(i) ? input(i).constant.get() : nullptr; }
};

// Data that a step cannot compute with (a negative index, say): thrown by Step::run, returned as an Error by Session::run.
class StepFailure : public std::exception {
 public:
  explicit StepFailure(Error error) : error_(std::move(error)) {}
  const Error& error() const { return error_; }
  const char* what() const noexcept override { return error_.message().c_str(); }

 private:
  Error error_;
};

// What a Step gets at each run: addresses in the order of the node's inputs and outputs (nullptr where omitted; constant
// inputs only if the step asked for them, row-major).
struct StepContext {
  std::span<const void* const> inputs;
  std::span<void* const> outputs;
  std::byte* workspace;  // Step::workspace_bytes(), 64-byte aligned, shared between steps: contents do not survive
  ThreadPool& pool;
  void* state;           // what make_state() of this step returned for this Session
};

// Immutable after build, shared by Sessions; run() allocates nothing and takes no lock.
class Step {
 public:
  // Per-Session scratch objects of foreign libraries; most steps have none.
  struct State {
    virtual ~State() = default;
  };
  virtual ~Step() = default;
  virtual void run(const StepContext& context) const = 0;
  virtual std::size_t workspace_bytes(int threads) const { (void)threads; return 0; }
  virtual std::unique_ptr<State> make_state(int threads) const { (void)threads; return nullptr; }
  // Bytes of packed constants owned by the step (shared by all Sessions).
  virtual std::size_t packed_bytes() const { return 0; }
  // Bit i set: the run reads constant input i from the graph, so its tensor must be kept. All bits set: every input.
  virtual unsigned needs_constant_inputs() const { return 0; }
};

// Physical orders a tactic wants, one a node input and output (constants: ignored, always row-major).
struct TacticLayouts {
  std::vector<Layout> inputs;
  std::vector<Layout> outputs;
  // A node input of output 0's type and order whose bytes the step may overwrite with the result, or -1. The plan lets
  // them share their place where nothing reads the input later; the step must work where they do not.
  int in_place_input = -1;
};

struct Tactic {
  std::string_view name;     // "conv_igemm_avx512"
  std::string_view op;       // the operator of ops.inc that it implements, "*" for all
  // By shapes, types and the CPU: microseconds. layouts() and cost_us() may be asked wherever it said yes.
  Verdict (*applies)(const TacticQuery&);
  TacticLayouts (*layouts)(const TacticQuery&);
  // Expected microseconds for one image at 1 thread; must not depend on query.threads or on the batch, so that the
  // choice, and with it the bytes of the answer, is the same for every batch and thread count.
  double (*cost_us)(const TacticQuery&);
  Result<std::unique_ptr<Step>> (*build)(const TacticQuery&);
  // What applies() leaves open because it takes milliseconds, a foreign library's kernel say: asked only where applies()
  // said yes and the answer matters. Null: nothing is left open.
  Verdict (*confirm)(const TacticQuery&) = nullptr;

  // Both answers in one.
  Verdict check(const TacticQuery& query) const {
    Verdict verdict = applies(query);
    return verdict.applies && confirm ? confirm(query) : verdict;
  }
};

// A provider of tactics: cpu, onednn, reference. Foreign types never leave its folder.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;
  virtual std::span<const Tactic> tactics() const = 0;
};

// Layouts helpers that most tactics need: every operand and result in the same order (rank < 3 stays row-major).
TacticLayouts uniform_layouts(const TacticQuery& query, Layout layout);

// A cost estimate from MACs at a rate (GMAC/s) or from bytes at a rate (GB/s), whichever is longer, plus a fixed start.
// Of one image: the first extent of the output divides everything but the constants.
double estimate_us(const TacticQuery& query, double gmacs_per_s, double gbytes_per_s = 12.0, double fixed_us = 1.0);

}  // namespace fovea
