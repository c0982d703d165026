#include <array>

#include "base/clock.h"
#include "base/knobs.h"
#include "ops/infer.h"
#include "passes/pass.h"

namespace fovea {
namespace passes {
#define PASS(function, stage, says) Status function(Graph&, const PassOptions&);
#include "passes/passes.inc"
#undef PASS
}  // namespace passes

namespace {

constexpr Pass kPasses[] = {
#define PASS(function, stage, says) {#function, Stage::stage, says, passes::function},
#include "passes/passes.inc"
#undef PASS
};

int live_nodes(const Graph& graph) {
  int count = 0;
  for (const Node& n : graph.nodes()) count += n.alive;
  return count;
}

bool is_disabled(std::string_view name, std::string_view list) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (list.substr(0, comma) == name) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

Status run_checked(Graph& graph, const Pass& pass, const PassOptions& options) {
  Status status = pass.run(graph, options);
  if (status.ok()) status = verify(graph);
  if (!status.ok()) return std::move(status).error().within(fmt::format("pass {}", pass.name));
  return {};
}

}  // namespace

std::span<const Pass> pass_table() { return kPasses; }

Status run_passes(Graph& graph, Stage stage, const PassOptions& options, std::vector<PassTrace>* trace) {
  for (const Pass& pass : kPasses) {
    if (pass.stage != stage || is_disabled(pass.name, options.disabled) || is_disabled(pass.name, knobs().disabled_passes))
      continue;
    const int before = live_nodes(graph);
    const std::int64_t begin = now_ns();
    FOVEA_RETURN_IF_ERROR(run_checked(graph, pass, options));
    if (trace) trace->push_back({pass.name, static_cast<double>(now_ns() - begin) * 1e-6, before, live_nodes(graph)});
  }
  return {};
}

Status run_pass(Graph& graph, std::string_view name, const PassOptions& options) {
  for (const Pass& pass : kPasses)
    if (pass.name == name) return run_checked(graph, pass, options);
  return make_error(ErrorCode::kUsage, "there is no pass called {}", name);
}

}  // namespace fovea
