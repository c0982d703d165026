#include "report/csv_report.h"

namespace fovea {
namespace {

std::string text_cell(std::string text) {
  if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) text.insert(0, 1, '\'');
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  for (std::size_t i = 0; (i = text.find('"', i)) != std::string::npos; i += 2) text.insert(i, 1, '"');
  return "\"" + text + "\"";
}

std::string number_cell(const std::optional<double>& value) { return value ? fmt::format("{:.6g}", *value) : ""; }

std::string latency_cells(const LatencySummary& l) {
  if (l.count == 0) return "0,,,,,,,,,";
  return fmt::format("{},{:.6g},{:.6g},{:.6g},{:.6g},{},{},{:.6g},{},{}", l.count, l.mean, l.min, l.p50, l.p90,
                     number_cell(l.p99), number_cell(l.p999), l.max, number_cell(l.median_low),
                     number_cell(l.median_high));
}

std::string rate_cell(double images_per_s) { return images_per_s > 0 ? fmt::format("{:.6g}", images_per_s) : ""; }

std::string row(const RunRecord& r) {
  const auto accuracy = [&](double RunAccuracy::*field) {
    return r.accuracy ? number_cell((*r.accuracy).*field) : std::string();
  };
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n", run_kind_name(r.kind),
                     text_cell(r.name), text_cell(r.started_utc), text_cell(r.model.name), text_cell(r.model.precision),
                     r.batch, r.instances.size(), r.threads_per_instance, r.images, number_cell(r.seconds),
                     rate_cell(r.images_per_s), latency_cells(r.latency_ms), number_cell(r.percent_of_peak),
                     accuracy(&RunAccuracy::top1), accuracy(&RunAccuracy::top5), r.memory.peak_resident,
                     number_cell(r.energy.joules), noise_state_name(r.noise.state), run_state_name(r.verdict.state));
}

std::string row(const RunRecord& sweep, const RunPoint& p) {
  return fmt::format("point,{},{},{},{},{},{},{},,,{},{},,,,,,,{}\r\n", text_cell(sweep.name),
                     text_cell(sweep.started_utc), text_cell(sweep.model.name), text_cell(p.precision), p.batch,
                     p.instances, p.cores_per_instance, rate_cell(p.images_per_s), latency_cells(p.latency_ms),
                     run_state_name(p.state));
}

}  // namespace

std::string render_csv(std::span<const RunRecord> records) {
  std::string text =
      "kind,name,started_utc,model,precision,batch,instances,threads_per_instance,images,seconds,images_per_s,"
      "runs,mean_ms,min_ms,p50_ms,p90_ms,p99_ms,p99.9_ms,max_ms,median_ci95_low_ms,median_ci95_high_ms,"
      "percent_of_peak,top1,top5,peak_resident_bytes,joules,noise,verdict\r\n";
  for (const RunRecord& record : records) {
    text += row(record);
    for (const RunPoint& point : record.points) text += row(record, point);
  }
  return text;
}

}  // namespace fovea
