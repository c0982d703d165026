// fovea machine: the CPU and what it can do right now.
#include "base/cpu_features.h"
#include "base/topology.h"
#include "cli/command.h"
#include "cli/table.h"
#include "measure/bench.h"
#include "report/record.h"

namespace fovea::cli {
namespace {

struct MachineOptions {
  int threads = 0;
  int milliseconds = 800;
};

Status show(const MachineOptions& options, const Context& context) {
  const CpuFeatures cpu = active_cpu();
  const Topology topology = detect_topology();
  ThreadPool pool({options.threads > 0 ? options.threads : topology.usable_threads(), true, {}, 100});
  ThreadPool single({1, true, {}, 100});
  const MachinePeak all = measure_peak(pool, cpu, options.milliseconds), one = measure_peak(single, cpu, options.milliseconds);
  say(context, fmt::format("{} ({} family {} model {}), kernels up to {}\n", cpu.brand, cpu.vendor, cpu.family, cpu.model,
                           isa_name(cpu.best())));
  say(context, fmt::format("{} core(s), {} processor(s), {} usable thread(s){}; caches {} L1D, {} L2, {} L3\n",
                           topology.cores, topology.processors.size(), topology.usable_threads(),
                           topology.cgroup_cpus > 0 ? fmt::format(" (cgroup quota {:.2f} CPUs)", topology.cgroup_cpus) : "",
                           short_bytes(static_cast<double>(topology.l1d_bytes)), short_bytes(static_cast<double>(topology.l2_bytes)),
                           short_bytes(static_cast<double>(topology.l3_bytes))));
  Table table({"measured now", ">fp32 GMAC/s", ">bf16 GMAC/s", ">int8 GMAC/s", ">L2 GB/s", ">memory GB/s"});
  for (const MachinePeak& p : {one, all})
    table.row({fmt::format("{} thread(s)", p.threads), fmt::format("{:.1f}", p.f32_gmacs), fmt::format("{:.1f}", p.bf16_gmacs),
               fmt::format("{:.1f}", p.int8_gmacs), fmt::format("{:.0f}", p.l2_gbytes), fmt::format("{:.1f}", p.read_gbytes)});
  say(context, table.text());
  return deliver(context, {{"peak", to_json(all)}, {"peak_one_thread", to_json(one)}});
}

}  // namespace

void add_machine(CLI::App& command, Context& context) {
  auto options = std::make_shared<MachineOptions>();
  command.add_option("-t,--threads", options->threads, "Threads; 0 for all usable cores")->check(CLI::Range(0, 4096));
  command.add_option("--milliseconds", options->milliseconds, "Time for each row")->check(CLI::Range(4, 60000))->capture_default_str();
  add_common_options(command, context, "  fovea machine\n  fovea machine --json | jq .peak");
  command.callback([options, &context] { context.run = [options, &context] { return show(*options, context); }; });
}

}  // namespace fovea::cli
