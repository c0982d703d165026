#include "plan/plan.h"

#include <algorithm>
#include <map>

#include "ops/infer.h"
#include "plan/arena.h"
#include "plan/move_steps.h"
#include "plan/selection.h"

namespace fovea {
namespace {

// Operators that only rename bytes of row-major data; the plan makes their output an alias and no step.
bool only_renames(std::string_view op) {
  return op == "Reshape" || op == "Flatten" || op == "Squeeze" || op == "Unsqueeze" || op == "Identity" ||
         op == "Dropout";
}

// Turns a graph into a plan node by node. A graph value may get several planned values: one a physical order.
class Planner {
 public:
  Planner(const Graph& graph, std::span<const Backend* const> backends, const PlanOptions& options)
      : graph_(graph), backends_(backends), options_(options), plan_(std::make_shared<Plan>()),
        planned_(graph.values().size()) {}

  Result<std::shared_ptr<const Plan>> run() {
    plan_->model = graph_.name;
    plan_->cpu = options_.cpu;
    FOVEA_RETURN_IF_ERROR(check_fixed());
    add_inputs();
    for (NodeId id : graph_.topological_order()) FOVEA_RETURN_IF_ERROR(add_node(id));
    if (!missing_.empty())
      return unsupported("no implementation applies to {} node(s):\n  {}", missing_.size(), fmt::join(missing_, "\n  "));
    FOVEA_RETURN_IF_ERROR(add_outputs());
    reuse_inputs_in_place();
    place_in_arena();
    for (const PlannedStep& step : plan_->steps) plan_->packed_bytes += static_cast<std::int64_t>(step.step->packed_bytes());
    return std::shared_ptr<const Plan>(std::move(plan_));
  }

 private:
  Status check_fixed() {
    for (NodeId id : graph_.topological_order())
      for (ValueId v : graph_.node(id).outputs)
        if (v != kNoValue && !graph_.value(v).type.shape.is_fixed())
          return unsupported("node {} ({}): the shape {} of {} depends on data, which a plan cannot hold",
                             graph_.node(id).name, graph_.node(id).op, graph_.value(v).type.shape.text(),
                             graph_.value(v).name);
    return {};
  }

  int new_value(const Value& value, Layout layout) {
    PlannedValue p;
    p.name = value.name;
    p.dtype = value.type.dtype;
    p.dims = *value.type.shape.fixed();
    p.layout = layout;
    p.bytes = element_count(p.dims) * static_cast<std::int64_t>(size_of(p.dtype));
    plan_->values.push_back(std::move(p));
    return static_cast<int>(plan_->values.size()) - 1;
  }

  void add_inputs() {
    for (ValueId id : graph_.inputs()) {
      const Value& value = graph_.value(id);
      const int index = new_value(value, value.layout);
      plan_->values.back().input_index = static_cast<int>(plan_->inputs.size());
      plan_->inputs.push_back({value.name, value.type.dtype, *value.type.shape.fixed(), value.layout, index});
      planned_[static_cast<std::size_t>(id)][value.layout] = index;
    }
  }

  // The planned value that holds `id` in the wanted order; adds a reorder step where there is none yet.
  int value_in(ValueId id, Layout layout) {
    auto& forms = planned_[static_cast<std::size_t>(id)];
    if (const auto found = forms.find(layout); found != forms.end()) return found->second;
    const Value& value = graph_.value(id);
    if (forms.empty()) {  // a constant met for the first time
      FOVEA_CHECK(value.is_constant());
      const int index = new_value(value, Layout::kRowMajor);
      plan_->values.back().constant = value.constant;
      forms[Layout::kRowMajor] = index;
      if (layout == Layout::kRowMajor) return index;
      const int converted = new_value(value, layout);
      plan_->values.back().constant = std::make_shared<const Tensor>(value.constant->in_layout(layout));
      forms[layout] = converted;
      return converted;
    }
    const int source = forms.begin()->second;
    const Layout from = forms.begin()->first;
    const int index = new_value(value, layout);
    forms[layout] = index;
    const Dims dims = plan_->values[static_cast<std::size_t>(index)].dims;
    if (same_bytes(dims, from, layout)) {
      plan_->values[static_cast<std::size_t>(index)].alias_of = root(source);
      return index;
    }
    add_move(source, index, from, layout, "Reorder");
    return index;
  }

  void add_move(int source, int target, Layout from, Layout to, const char* op) {
    const PlannedValue& value = plan_->values[static_cast<std::size_t>(target)];
    PlannedStep step;
    step.step = make_reorder_step(value.dtype, value.dims, from, to);
    step.inputs = {source};
    step.outputs = {target};
    step.decision.node = fmt::format("{} of {}", op, value.name);
    step.decision.op = op;
    step.decision.chosen = from == to ? "copy" : fmt::format("{}_to_{}", layout_name(from), layout_name(to));
    step.decision.backend = "plan";
    step.cost.bytes_read = step.cost.bytes_written = static_cast<double>(value.bytes);
    plan_->steps.push_back(std::move(step));
  }

  int root(int value) const {
    const int alias = plan_->values[static_cast<std::size_t>(value)].alias_of;
    return alias < 0 ? value : alias;
  }

  void add_alias(const Node& node) {
    const int source = value_in(node.inputs[0], Layout::kRowMajor);
    const int index = new_value(graph_.value(node.outputs[0]), Layout::kRowMajor);
    PlannedValue& alias = plan_->values[static_cast<std::size_t>(index)];
    const PlannedValue& original = plan_->values[static_cast<std::size_t>(root(source))];
    if (original.constant)
      alias.constant = std::make_shared<const Tensor>(original.constant->reshaped(alias.dims));
    else
      alias.alias_of = root(source);
    planned_[static_cast<std::size_t>(node.outputs[0])][Layout::kRowMajor] = index;
  }

  Status add_node(NodeId id) {
    const Node& node = graph_.node(id);
    if (only_renames(node.op) && (node.outputs.size() == 1 || node.outputs[1] == kNoValue)) {
      add_alias(node);
      return {};
    }
    const TacticQuery query{graph_, node, options_.cpu, options_.threads, options_.math};
    Selection selection = select_tactic(query, backends_, options_);
    if (!selection.tactic) {
      report_missing(node, selection.decision);
      return {};
    }
    if (!missing_.empty()) return {};  // only collect what else is missing
    const TacticLayouts layouts = selection.tactic->layouts(query);
    auto built = selection.tactic->build(query);
    if (!built.ok())
      return std::move(built).error().within(
          fmt::format("building {} for node {} ({})", selection.tactic->name, node.name, node.op));
    PlannedStep step;
    step.step = std::move(built).value();
    const unsigned wanted_constants = step.step->needs_constant_inputs();
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId v = node.inputs[i];
      const bool skip = v == kNoValue || (graph_.value(v).is_constant() && !((i < 32 ? (wanted_constants >> i) & 1u : wanted_constants == ~0u)));
      step.inputs.push_back(skip ? -1 : value_in(v, graph_.value(v).is_constant() ? Layout::kRowMajor : layouts.inputs[i]));
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId v = node.outputs[i];
      if (v == kNoValue) {
        step.outputs.push_back(-1);
        continue;
      }
      step.outputs.push_back(new_value(graph_.value(v), layouts.outputs[i]));
      planned_[static_cast<std::size_t>(v)][layouts.outputs[i]] = step.outputs.back();
    }
    step.decision = std::move(selection.decision);
    step.cost = node_cost(graph_, id);
    if (layouts.in_place_input >= 0) in_place_inputs_[plan_->steps.size()] = static_cast<std::size_t>(layouts.in_place_input);
    plan_->steps.push_back(std::move(step));
    return {};
  }

  void report_missing(const Node& node, const Decision& decision) {
    std::vector<std::string> reasons;
    for (const Candidate& c : decision.candidates) reasons.push_back(c.tactic + ": " + c.reason);
    missing_.push_back(fmt::format("{} ({}): {}", node.name, node.op,
                                   reasons.empty() ? "no tactic for this operator" : fmt::format("{}", fmt::join(reasons, "; "))));
  }

  // A step writes straight into the caller's memory where a value is exactly one output in row-major order; every other
  // output (an alias, a constant, an input, the same value twice) is copied at the end.
  Status add_outputs() {
    for (const GraphOutput& output : graph_.outputs()) {
      const Value& value = graph_.value(output.value);
      int source = value_in(output.value, Layout::kRowMajor);
      const auto is_direct = [&](int v) {
        const PlannedValue& p = plan_->values[static_cast<std::size_t>(v)];
        return p.alias_of < 0 && !p.constant && p.input_index < 0 && p.output_indices.empty();
      };
      if (!is_direct(source)) {
        const int copy = new_value(value, Layout::kRowMajor);
        add_move(source, copy, Layout::kRowMajor, Layout::kRowMajor, "Copy");
        source = copy;
      }
      plan_->values[static_cast<std::size_t>(source)].output_indices.push_back(static_cast<int>(plan_->outputs.size()));
      plan_->outputs.push_back({output.name, value.type.dtype, *value.type.shape.fixed(), Layout::kRowMajor, source});
    }
    return {};
  }

  bool in_arena(int value) const {
    const PlannedValue& p = plan_->values[static_cast<std::size_t>(value)];
    return value == root(value) && !p.constant && p.input_index < 0 && p.output_indices.empty();
  }

  // Makes the result of a step an alias of the input that it may overwrite, where this step is the last to read it and
  // reads it as this input only.
  void reuse_inputs_in_place() {
    std::vector<std::size_t> last_use(plan_->values.size(), 0);
    for (std::size_t s = 0; s < plan_->steps.size(); ++s)
      for (int v : plan_->steps[s].inputs)
        if (v >= 0) last_use[static_cast<std::size_t>(root(v))] = s;
    for (const auto& [s, input] : in_place_inputs_) {
      const PlannedStep& step = plan_->steps[s];
      if (input >= step.inputs.size() || step.inputs[input] < 0) continue;
      const int source = root(step.inputs[input]), result = step.outputs[0];
      if (result < 0) continue;
      const auto reads = std::count_if(step.inputs.begin(), step.inputs.end(),
                                       [&](int v) { return v >= 0 && root(v) == source; });
      if (reads != 1 || last_use[static_cast<std::size_t>(source)] != s || !in_arena(source) || !in_arena(result)) continue;
      for (PlannedValue& value : plan_->values)
        if (value.alias_of == result) value.alias_of = source;
      plan_->values[static_cast<std::size_t>(result)].alias_of = source;
      last_use[static_cast<std::size_t>(source)] = last_use[static_cast<std::size_t>(result)];
    }
  }

  void place_in_arena() {
    std::map<int, Lifetime> lifetimes;  // by root value
    for (int s = 0; s < static_cast<int>(plan_->steps.size()); ++s) {
      const auto touch = [&](int v) {
        if (v < 0) return;
        const int r = root(v);
        const PlannedValue& p = plan_->values[static_cast<std::size_t>(r)];
        if (p.constant || p.input_index >= 0 || !p.output_indices.empty()) return;
        auto [found, inserted] = lifetimes.try_emplace(r, Lifetime{p.bytes, s, s});
        found->second.last = s;
      };
      for (int v : plan_->steps[static_cast<std::size_t>(s)].inputs) touch(v);
      for (int v : plan_->steps[static_cast<std::size_t>(s)].outputs) touch(v);
    }
    std::vector<Lifetime> list;
    for (const auto& [value, lifetime] : lifetimes) list.push_back(lifetime);
    const ArenaLayout layout = plan_arena(list);
    std::size_t i = 0;
    for (const auto& [value, lifetime] : lifetimes) plan_->values[static_cast<std::size_t>(value)].arena_offset = layout.offsets[i++];
    plan_->arena_bytes = layout.bytes;
  }

  const Graph& graph_;
  std::span<const Backend* const> backends_;
  const PlanOptions& options_;
  std::shared_ptr<Plan> plan_;
  std::vector<std::map<Layout, int>> planned_;  // by graph value
  std::vector<std::string> missing_;
  std::map<std::size_t, std::size_t> in_place_inputs_;  // step -> node input
};

}  // namespace

std::size_t Plan::workspace_bytes(int threads) const {
  std::size_t bytes = 0;
  for (const PlannedStep& step : steps) bytes = std::max(bytes, step.step->workspace_bytes(threads));
  return bytes;
}

Result<std::shared_ptr<const Plan>> make_plan(const Graph& graph, std::span<const Backend* const> backends,
                                              const PlanOptions& options) {
  return Planner(graph, backends, options).run();
}

}  // namespace fovea
