#include "cli/workload_sweep.h"

#include <algorithm>
#include <map>

#include "base/topology.h"
#include "cli/launch_run.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace fovea::cli {
namespace {

struct Point {
  std::string precision;
  int batch, cores;
};

Result<std::vector<Point>> points_of(const SweepOptions& o) {
  FOVEA_TRY(const CorePlan socket, place_instances(detect_topology(), {.per_socket = true}));
  const auto most = static_cast<int>(socket.instances.front().processors.size());
  std::vector<int> cores = o.cores;
  for (int n = 1; o.cores.empty() && n < most; n *= 2) cores.push_back(n);
  if (o.cores.empty()) cores.push_back(most);
  std::vector<Point> points;
  for (const std::string& precision : o.precisions) {
    if (const auto found = find_launch_precision(precision, active_cpu()); !found.ok()) {
      if (found.error().code() == ErrorCode::kUsage) return found.error();
      warn("left out: " + found.error().message());
      continue;
    }
    for (const int n : cores)
      for (const int batch : o.batches) {
        if (n < 1 || n > most || batch < 1)
          return Error(ErrorCode::kUsage,
                       fmt::format("{} core(s) an instance, batch {}: expected 1 to {} cores and a batch of at least 1",
                                   n, batch, most));
        points.push_back({precision, batch, n});
      }
  }
  if (points.empty()) return unsupported("no precision of the sweep can run on this CPU");
  return points;
}

std::vector<std::pair<std::string, std::string>> common_settings(const SweepOptions& o) {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const auto& [name, value] : o.parameters)
    if (!value.empty() && name != "PRECISION" && name != "BATCH_SIZE" && name != "CORES_PER_INSTANCE")
      settings.emplace_back(name, value);
  return settings;
}

const RunPoint* find(const RunRecord& record, const Point& p) {
  for (const RunPoint& known : record.points)
    if (known.precision == p.precision && known.batch == p.batch && known.cores_per_instance == p.cores &&
        known.state == RunState::kValid)
      return &known;
  return nullptr;
}

Result<RunRecord> begin_or_resume(const SweepOptions& o, const std::filesystem::path& file, const Context& context) {
  RunRecord record = start_run_record(RunKind::kSweep, context.command_line);
  record.settings = common_settings(o);
  std::error_code code;
  std::filesystem::create_directories(o.output_dir, code);
  if (code) return bad_input("cannot create {}: {}", o.output_dir, code.message());
  if (!std::filesystem::exists(file, code)) return record;
  FOVEA_TRY(RunRecord old, read_run_record(file));
  if (old.kind != RunKind::kSweep || old.settings != record.settings)
    return Error(
        ErrorCode::kUsage,
        fmt::format("{} is of a sweep with other settings; choose another --output-dir or remove it", file.string()));
  record.points = std::move(old.points);
  return record;
}

Result<RunPoint> run_point(const SweepOptions& o, const Point& p, const Context& context) {
  Parameters parameters = o.parameters;
  parameters["MODE"] = "throughput";
  parameters["PRECISION"] = p.precision;
  parameters["BATCH_SIZE"] = fmt::format("{}", p.batch);
  parameters["CORES_PER_INSTANCE"] = fmt::format("{}", p.cores);
  FOVEA_TRY(WorkloadPlan plan, plan_workload(parameters));
  plan.launch.output_dir =
      (std::filesystem::path(o.output_dir) / fmt::format("{}_bs{}_cores{}", p.precision, p.batch, p.cores)).string();
  plan.launch.model = o.model;
  FOVEA_RETURN_IF_ERROR(check_settings(plan.launch));
  Context silent = context;
  silent.json = true;  // its lines are in its log
  FOVEA_TRY(const LaunchResult result, run_launch(plan.launch, RunKind::kWorkload, silent));
  if (!result.status.ok()) return result.status.error();
  const RunRecord& r = result.record;
  return RunPoint{
      p.batch,        static_cast<int>(r.instances.size()), p.cores, p.precision, r.images_per_s, r.latency_ms,
      r.verdict.state};
}

std::string table_of_all(const RunRecord& record) {
  Table table({"precision", ">BS", ">CPI", ">instances", ">images/s", ">median ms"});
  for (const RunPoint& p : record.points)
    table.row({p.precision, fmt::format("{}", p.batch), fmt::format("{}", p.cores_per_instance),
               fmt::format("{}", p.instances), fmt::format("{:.1f}", p.images_per_s),
               fmt::format("{:.3f}", p.latency_ms.p50)});
  return table.text();
}

// The best of each precision, in the form of the workload's own table.
std::string table_of_best(const RunRecord& record) {
  std::map<std::string, const RunPoint*> best;
  for (const RunPoint& p : record.points) {
    const RunPoint*& so_far = best[p.precision];
    if (!so_far || p.images_per_s > so_far->images_per_s) so_far = &p;
  }
  const std::string cpu = record.machine.value("cpu", std::string("unknown"));
  std::string text = "\n| precision    | BS  | CPI | CPU | value |\n| ------------ | ---:| ---:| --- | -----:|\n";
  for (const auto& [precision, p] : best)
    text += fmt::format("| {:<12} | {:<3} | {:>3} | {} | {:.0f} |\n", precision, p->batch, p->cores_per_instance, cpu,
                        p->images_per_s);
  return text;
}

}  // namespace

Status run_sweep(const SweepOptions& o, const Context& context) {
  const std::filesystem::path file = std::filesystem::path(o.output_dir) / "sweep.json";
  FOVEA_TRY(const std::vector<Point> points, points_of(o));
  FOVEA_TRY(RunRecord record, begin_or_resume(o, file, context));
  Progress progress("sweep", context.quiet);
  std::size_t done = 0;
  for (const Point& p : points) {
    if (context.stop->load())
      return Error(ErrorCode::kInterrupted,
                   fmt::format("interrupted after {} of {} points; the same command goes on", done, points.size()));
    const std::string name = fmt::format("{} batch {} cores {}", p.precision, p.batch, p.cores);
    progress.update(static_cast<double>(done), static_cast<double>(points.size()), name);
    if (!find(record, p)) {
      auto point = run_point(o, p, context);
      if (!point.ok()) return std::move(point).error().within(name);
      record.points.push_back(std::move(*point));
      FOVEA_RETURN_IF_ERROR(write_run_record(file, record));
    }
    ++done;
  }
  progress.finish();
  say(context, table_of_all(record) + table_of_best(record) + fmt::format("\nRecord: {}\n", file.string()));
  return deliver(context, to_json(record));
}

}  // namespace fovea::cli
