#include "mlperf/results_charts.h"

#include <algorithm>
#include <cmath>

#include "mlperf/latency_figures.h"
#include "report/html_text.h"
#include "report/svg_chart.h"

namespace fovea::mlperf {
namespace {

constexpr double kRoomForLabel = 0.28;  // on the axis of place_of

std::string percent_name(double percent) {
  if (percent <= 0) return "fastest";
  return percent >= 100 ? "slowest" : fmt::format("p{:g}", percent);
}

bool is_counted(const Latencies& l, const LatencyFigure& figure) {
  return l.counted_percent && std::abs(*l.counted_percent - figure.percent) < 1e-6;
}

// The slowest queries are what matters: every further nine takes as much room as the one before.
double place_of(double percent) { return percent >= 100 ? 4 : std::min(3.5, -std::log10(1 - percent / 100)); }

std::string within_limit(const Latencies& l, double ns) {
  if (!l.limit_ns) return "";
  return ns <= *l.limit_ns ? "within" : "beyond";
}

SvgChart latency_chart(const Latencies& l, TimeUnit unit, const std::string& of) {
  SvgChart chart;
  chart.caption = "Latency of " + of;
  chart.x.title = fmt::format("share of the {} that took at most so long, %", of);
  chart.y.title = fmt::format("latency, {}", unit.name);
  double last_tick = -1;
  for (const LatencyFigure& f : l.figures) {
    const double x = place_of(f.percent);
    const std::string told = fmt::format("{}: {} {}", percent_name(f.percent), figure(f.ns / unit.ns), unit.name);
    chart.points.push_back({x, f.ns / unit.ns, is_counted(l, f) ? SvgMark::kBigDot : SvgMark::kDot, told});
    chart.description +=
        (chart.description.empty() ? fmt::format("Latency by share of {}. ", of) : std::string(", ")) + told;
    if (is_counted(l, f)) chart.rules.push_back({false, x, percent_name(f.percent) + " counts"});
    // Between 90 and 99 there are many: a label only where there is room for it.
    if (x - last_tick < kRoomForLabel) continue;
    last_tick = x;
    chart.x.ticks.emplace_back(x, f.percent >= 100 ? "all" : fmt::format("{:g}", f.percent));
  }
  if (l.limit_ns) {
    const std::string limit = fmt::format("limit {:.6g} {}", *l.limit_ns / unit.ns, unit.name);
    chart.rules.push_back({true, *l.limit_ns / unit.ns, limit});
    chart.description += ". The " + limit + " is a line across.";
  }
  return chart;
}

HtmlTable latency_table(const Latencies& l, TimeUnit unit, const std::string& of) {
  std::vector<std::string> headings = {"Share of " + of, fmt::format(">Latency, {}", unit.name)};
  if (l.limit_ns) headings.push_back("Limit");
  HtmlTable table("The same figures, as LoadGen's log has them", std::move(headings));
  for (const LatencyFigure& f : l.figures) {
    const std::string name = percent_name(f.percent);
    table.row({is_counted(l, f) ? "<strong>" + name + "</strong> (counts)" : name, figure(f.ns / unit.ns),
               within_limit(l, f.ns)});
  }
  if (l.mean_ns) table.row({"mean", figure(*l.mean_ns / unit.ns), ""});
  return table;
}

std::string note_on(const ScenarioResults& results, const Latencies& l) {
  if (results.scenario == Scenario::kOffline)
    return "Offline sends all samples at the start: a latency is when the answer came. There is no limit.";
  if (!l.limit_ns && results.scenario == Scenario::kServer) return "LoadGen's log names no limit.";
  if (!l.limit_ns) return fmt::format("No limit: the {} is the result itself.", percent_name(*l.counted_percent));
  return fmt::format("The {} has to be within {}.", percent_name(*l.counted_percent), time_text(l.limit_ns));
}

}  // namespace

std::string html_latencies(const ScenarioResults& results, const LoggedTest& test) {
  const Latencies l = latencies_of(test.result.log, results.scenario, results.round);
  if (l.figures.empty()) return "<p class=\"note\">LoadGen's log holds no latencies.</p>\n";
  const TimeUnit unit = time_unit(l.figures[l.figures.size() / 2].ns);
  // MultiStream's queries have several samples, Offline has one query.
  const char* of = results.scenario == Scenario::kOffline ? "samples" : "queries";
  return "<div class=\"beside\">" + render_svg(latency_chart(l, unit, of)) + "<div>" +
         latency_table(l, unit, of).html() + "<p class=\"note\">" + escape_html(note_on(results, l)) +
         "</p></div></div>\n";
}

std::string html_server_curve(const ServerCurve& curve) {
  if (curve.points.empty()) return "<p class=\"note\">server_curve.json holds no points.</p>\n";
  SvgChart chart;
  chart.caption = "99th percentile of the latency against the rate; a dot: VALID, a cross: INVALID";
  chart.x.title = "queries a second that LoadGen sent";
  chart.x.from_zero = false;
  chart.y.title = "p99, ms";
  HtmlTable table("Every rate that was tried, in queries a second, with LoadGen's verdict",
                  {">Target, /s", ">Completed, /s", ">p99, ms", "Verdict"});
  for (const CurvePoint& p : curve.points) {
    const char* verdict = p.valid ? "VALID" : "INVALID";
    chart.points.push_back({p.target_qps, p.p99_ms, p.valid ? SvgMark::kDot : SvgMark::kCross,
                            fmt::format("{} queries/s: {} ms, {}", figure(p.target_qps), figure(p.p99_ms), verdict)});
    table.row({figure(p.target_qps), figure(p.completed_qps), figure(p.p99_ms), verdict});
  }
  std::string note = curve.best_qps > 0
                         ? fmt::format("The highest rate that held: {} queries/s.", figure(curve.best_qps))
                         : std::string("No rate that was tried held the limit.");
  const bool doubted = std::ranges::any_of(
      curve.points, [&](const CurvePoint& p) { return !p.valid && p.p99_ms > 0 && p.p99_ms <= curve.limit_ms; });
  if (doubted) note += " A rate can be INVALID with its p99 within the limit: LoadGen's early stopping asks for more.";
  if (curve.limit_ms > 0) chart.rules.push_back({true, curve.limit_ms, fmt::format("limit {:.6g} ms", curve.limit_ms)});
  chart.description = fmt::format("{} rates; the table has the figures. {}", curve.points.size(), note);
  return "<div class=\"beside\">" + render_svg(chart) + "<div>" + table.html() + "<p class=\"note\">" +
         escape_html(note) + "</p></div></div>\n";
}

}  // namespace fovea::mlperf
