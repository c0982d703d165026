#include "report/html_report.h"

#include <algorithm>
#include <set>

#include "report/html_charts.h"
#include "report/html_page.h"
#include "report/html_sections.h"
#include "report/html_text.h"

namespace fovea {
namespace {

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::string page_title(std::span<const RunRecord> records, const HtmlOptions& options) {
  if (!options.title.empty()) return options.title;
  if (records.size() == 1) return run_title(records[0]);
  std::set<std::string> models;
  for (const RunRecord& r : records) models.insert(r.model.name);
  return models.size() == 1 ? fmt::format("{}: {} runs", *models.begin(), records.size())
                            : fmt::format("{} runs", records.size());
}

std::string byline(const RunRecord& r) {
  std::vector<std::string> parts = {run_kind_name(r.kind)};
  if (!r.name.empty()) parts.push_back(fmt::format("{}, {}", r.model.name, r.model.precision));
  for (const std::string& part : {text_of(r.machine, "cpu"), r.started_utc})
    if (!part.empty()) parts.push_back(part);
  return fmt::format("<p class=\"byline\">{}</p>\n", escape_html(fmt::format("{}", fmt::join(parts, " · "))));
}

std::string throughput(std::span<const RunRecord> records) {
  const std::vector<RunPoint> points = points_of(records);
  if (points.size() < 2) return "";
  std::set<std::int64_t> batches;
  std::set<int> instances;
  for (const RunPoint& p : points) batches.insert(p.batch), instances.insert(p.instances);
  std::string charts;
  if (batches.size() > 1)
    charts += html_chart("batch", 0, "Throughput against batch size",
                         "Lines of images a second for each batch size; the table below has the figures.");
  if (instances.size() > 1)
    charts += html_chart("instances", 0, "Throughput against the number of instances",
                         "Lines of images a second for each number of instances; the table below has the figures.");
  if (!charts.empty()) charts = "<div class=\"charts\">" + charts + "</div>";
  const double best = std::max_element(points.begin(), points.end(), [](const RunPoint& a, const RunPoint& b) {
                        return a.images_per_s < b.images_per_s;
                      })->images_per_s;
  HtmlTable table("Every setting", {"Precision", ">Batch", ">Instances", ">~Cores each", ">Images/s",
                                    ">~Of the best, %", ">Median, ms", "~Verdict"});
  for (const RunPoint& p : points)
    table.row({escape_html(p.precision), grouped(p.batch), grouped(p.instances), grouped(p.cores_per_instance),
               p.images_per_s == best ? "<strong>" + figure(p.images_per_s) + "</strong>" : figure(p.images_per_s),
               percent(best > 0 ? 100 * p.images_per_s / best : 0), p.latency_ms.count ? figure(p.latency_ms.p50) : "–",
               state_badge(p.state, NoiseState::kQuiet)});
  return "<section><h2>Throughput</h2>\n" + charts + table.html() + "</section>\n";
}

std::string overview(std::span<const RunRecord> records) {
  HtmlTable table("The runs of this page",
                  {"Run", "~Precision", ">Images/s", ">Median, ms", ">~p99, ms", ">~Top-1, %", "Verdict"});
  for (std::size_t i = 0; i < records.size(); ++i) {
    const RunRecord& r = records[i];
    table.row({fmt::format("<a href=\"#run-{}\">{}</a>", i + 1, escape_html(run_title(r))),
               escape_html(r.model.precision), r.images_per_s > 0 ? figure(r.images_per_s) : "–",
               r.latency_ms.count ? figure(r.latency_ms.p50) : "–", figure(r.latency_ms.p99),
               r.accuracy ? fmt::format("{:.2f}", r.accuracy->top1) : "–",
               state_badge(r.verdict.state, r.latency_ms.count > 0 ? r.noise.state : NoiseState::kQuiet)});
  }
  return "<section><h2>Overview</h2>\n" + table.html() + "</section>\n";
}

std::string run(const RunRecord& r, std::size_t index, bool alone, const HtmlOptions& options) {
  const std::string heading = alone ? std::string("<h2 class=\"unseen\">The run</h2>\n")
                                    : fmt::format("<h2>{}</h2>\n{}", escape_html(run_title(r)), byline(r));
  return fmt::format("<article id=\"run-{}\">\n{}", index + 1, heading) + html_verdict(r) + html_tiles(r) +
         html_latency(r, index) + html_instances(r) + html_layers(r, index) + html_accuracy(r, options) +
         html_conditions(r) + html_provenance(r) + "</article>\n";
}

// Inside a script element a "<" could end it; JSON can say it otherwise.
std::string json_block(const nlohmann::json& data) {
  std::string text = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string out;
  for (const char c : text) out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return "<script type=\"application/json\" id=\"data\">" + out + "</script>\n";
}

// The licence asks that this goes with every copy.
constexpr std::string_view kChartLicence = R"(<!--
Chart.js, Copyright (c) 2014-2022 Chart.js Contributors

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
-->
)";

constexpr std::string_view kThemeChoice =
    "<label class=\"theme\">Theme <select id=\"theme\"><option value=\"auto\">System</option>"
    "<option value=\"light\">Light</option><option value=\"dark\">Dark</option></select></label>";

}  // namespace

std::string render_html(std::span<const RunRecord> records, const HtmlOptions& options) {
  const bool alone = records.size() == 1;
  HtmlPage page;
  page.title = page_title(records, options);
  if (alone) page.byline = byline(records[0]);
  page.controls = kThemeChoice;
  page.main = "<noscript><p class=\"note\">Charts need scripts; all their figures are in the tables.</p></noscript>\n";
  if (!alone) page.main += overview(records) + throughput(records);
  for (std::size_t i = 0; i < records.size(); ++i) page.main += run(records[i], i, alone, options);
  if (alone) page.main += throughput(records);
  page.footer = "Charts: Chart.js 3.9.1, © 2022 Chart.js Contributors, MIT licence.";
  page.after_main = json_block(chart_data(records)).append(kChartLicence);
  page.scripts = {"chart.min.js", "web/report.js"};
  return render_page(page);
}

}  // namespace fovea
