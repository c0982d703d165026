#include "fovea/runner.h"

#include "api/edge.h"
#include "api/handles.h"
#include "base/topology.h"
#include "runtime/compile.h"
#include "runtime/session.h"

namespace fovea {

struct Runner::Impl {
  Session session;
  std::vector<TensorView> inputs, outputs;  // reused from run to run
};

namespace {

constexpr int kMaxThreads = 4096;

CpuFeatures chosen_cpu(const std::string& isa) {
  if (isa.empty()) return active_cpu();
  const auto level = parse_isa(isa);
  if (!level)
    throw Exception(ErrorKind::kUsage,
                    fmt::format("unknown isa '{}': expected scalar, avx2, avx512, vbmi, vnni or bf16", isa));
  const CpuFeatures cpu = detect_cpu();
  if (!cpu.has(*level))
    throw Exception(ErrorKind::kUnsupported, fmt::format("isa {}: this CPU's best is {}", isa, isa_name(cpu.best())));
  return cpu.limited_to(*level);
}

Precision precision_of(ComputeType compute, const Graph& graph, const CpuFeatures& cpu) {
  switch (compute) {
    case ComputeType::kAuto: return choose_precision("auto", graph, cpu).value();
    case ComputeType::kF32: return Precision::kFp32;
    case ComputeType::kBf16: return Precision::kBf16;
    case ComputeType::kInt8: return Precision::kInt8;
  }
  throw Exception(ErrorKind::kUsage, "compute: unknown value");
}

CompileOptions compile_options(const CompileSettings& settings, const Graph& graph) {
  if (settings.threads < 0 || settings.threads > kMaxThreads)
    throw Exception(ErrorKind::kUsage, fmt::format("threads is {}: expected 0 to {}", settings.threads, kMaxThreads));
  CompileOptions options;
  options.batch = settings.batch;
  options.input_dims = settings.input_dims;
  options.input_layout = internal(settings.input_order);
  options.plan.cpu = chosen_cpu(settings.isa);
  options.precision = precision_of(settings.compute, graph, options.plan.cpu);
  options.plan.threads = settings.threads > 0 ? settings.threads : detect_topology().usable_threads();
  return options;
}

std::vector<Port> ports_of(const std::vector<PlanPort>& planned) {
  std::vector<Port> ports;
  for (const PlanPort& p : planned) ports.push_back({p.name, external(p.dtype), p.dims, external(p.layout)});
  return ports;
}

}  // namespace

CompiledModel::CompiledModel(const Model& model, const CompileSettings& settings)
    : impl_(edge::guarded([&] {
        const Graph& graph = model.impl()->loaded.graph;
        const CompileOptions options = compile_options(settings, graph);
        return std::make_shared<const Impl>(
            Impl{edge::take(compile(graph, options)), options.plan.threads});
      })) {}

std::vector<Port> CompiledModel::inputs() const {
  return edge::guarded([&] { return ports_of(impl_->plan->inputs); });
}
std::vector<Port> CompiledModel::outputs() const {
  return edge::guarded([&] { return ports_of(impl_->plan->outputs); });
}
int CompiledModel::threads() const { return impl_->threads; }
std::int64_t CompiledModel::activation_bytes() const { return impl_->plan->arena_bytes; }
std::int64_t CompiledModel::weight_bytes() const { return impl_->plan->packed_bytes; }

Runner::Runner(const CompiledModel& compiled)
    : impl_(edge::guarded([&] {
        const CompiledModel::Impl& c = *compiled.impl();
        return std::make_unique<Impl>(Impl{Session(c.plan, c.threads), {}, {}});
      })) {}
Runner::Runner(Runner&&) noexcept = default;
Runner& Runner::operator=(Runner&&) noexcept = default;
Runner::~Runner() = default;

void Runner::run(std::span<const ConstArrayView> inputs, std::span<const ArrayView> outputs) {
  edge::guarded([&] {
    impl_->inputs.clear();
    impl_->outputs.clear();
    for (const ConstArrayView& v : inputs)  // steps never write to inputs
      impl_->inputs.push_back({internal(v.type), internal(v.order), v.dims, const_cast<void*>(v.data)});
    for (const ArrayView& v : outputs) impl_->outputs.push_back({internal(v.type), internal(v.order), v.dims, v.data});
    edge::take(impl_->session.run(impl_->inputs, impl_->outputs));
  });
}

std::vector<Array> Runner::run(std::span<const Array> inputs) {
  return edge::guarded([&] {
    std::vector<ConstArrayView> in;
    std::vector<ArrayView> out;
    std::vector<Array> results;
    for (const PlanPort& port : impl_->session.plan().outputs)
      results.emplace_back(external(port.dtype), port.dims, external(port.layout));
    for (const Array& a : inputs) in.push_back(a.view());
    for (Array& a : results) out.push_back(a.view());
    run(in, out);
    return results;
  });
}

std::vector<Array> Runner::run(const Array& input) { return run(std::span<const Array>(&input, 1)); }

}  // namespace fovea
