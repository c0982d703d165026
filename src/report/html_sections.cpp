#include "report/html_sections.h"

#include <algorithm>

#include "report/html_charts.h"
#include "report/html_text.h"
#include "report/html_thumbnail.h"

namespace fovea {
namespace {

constexpr double kSlowLayerPercent = 40;

std::string tile(std::string_view what, const std::string& value, std::string_view unit, const std::string& note) {
  return fmt::format("<li class=\"tile\"><span class=\"what\">{}</span><b>{}</b>{}<small>{}</small></li>\n",
                     escape_html(what), escape_html(value),
                     unit.empty() ? "" : fmt::format(" <span>{}</span>", escape_html(unit)), escape_html(note));
}

std::string interval(const LatencySummary& l) {
  if (!l.median_low || !l.median_high) return "";
  return fmt::format("95 % interval {} – {} ms", figure(*l.median_low), figure(*l.median_high));
}

std::string count_of(std::int64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(n), n == 1 ? one : many);
}

std::string text_of(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return grouped(value.get<std::int64_t>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.is_null() ? "" : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string machine_text(const std::string& key, const nlohmann::json& value) {
  const bool is_size = key.size() > 6 && key.compare(key.size() - 6, 6, "_bytes") == 0;
  return is_size && value.is_number_integer() ? bytes_text(value.get<std::int64_t>()) : text_of(value);
}

std::string cores_text(const std::vector<int>& cores) {
  std::string text;
  for (std::size_t i = 0; i < cores.size(); ++i) {
    std::size_t last = i;
    while (last + 1 < cores.size() && std::int64_t{cores[last + 1]} == std::int64_t{cores[last]} + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", cores[i]);
    if (last > i) text += fmt::format("–{}", cores[last]);
    i = last;
  }
  return text.empty() ? "not pinned" : text;
}

std::string class_text(const std::string& name, int number) {
  return name.empty() ? fmt::format("class {}", number) : fmt::format("{} ({})", name, number);
}

std::string mistake_card(const RunMistake& m, int pixels) {
  const auto image = thumbnail_data_uri(m.file, pixels);
  const std::string name = std::filesystem::path(m.file).filename().string();
  const std::string picture =
      image.ok() ? fmt::format("<img src=\"{}\" alt=\"{}\" loading=\"lazy\">", *image, escape_html(name))
                 : "<div class=\"missing\">image not readable</div>";
  return fmt::format("<li>{}<p><strong>{}</strong><span>instead of {}</span><small>{} % sure · {}</small></p></li>\n",
                     picture, escape_html(class_text(m.predicted_name, m.predicted)),
                     escape_html(class_text(m.actual_name, m.actual)), percent(100 * m.probability), escape_html(name));
}

}  // namespace

std::string run_title(const RunRecord& r) {
  if (!r.name.empty()) return r.name;
  return fmt::format("{}, {}", r.model.name, r.model.precision);
}

std::string state_badge(RunState state, NoiseState noise) {
  const bool noisy = state == RunState::kValid && noise == NoiseState::kNoisy;
  return fmt::format("<span class=\"badge {0}\">{0}</span>", noisy ? "noisy" : run_state_name(state));
}

std::string verdict_text(const RunRecord& r) {
  std::string text;
  switch (r.verdict.state) {
    case RunState::kValid:
      text = "Complete.";
      break;
    case RunState::kPartial:
      text = "The run ended early or left something out; what is shown was measured.";
      break;
    case RunState::kInvalid:
      text = "Do not use these figures.";
      break;
  }
  for (const std::string& reason : r.verdict.reasons) text += fmt::format(" Reason: {}.", reason);
  if (r.latency_ms.count == 0) return text;
  switch (r.noise.state) {
    case NoiseState::kQuiet:
      return text + " The machine was quiet.";
    case NoiseState::kUnknown:
      return text + " Whether the machine was quiet is not known.";
    case NoiseState::kNoisy:
      break;
  }
  text += " The machine was noisy";
  return text + (r.noise.reasons.empty() ? "." : fmt::format(": {}.", fmt::join(r.noise.reasons, "; ")));
}

std::string summary_text(const RunRecord& r) {
  std::string text;
  if (r.latency_ms.count > 0)
    text = fmt::format("{} images/s with {} of {}, batch {}; a batch takes {} ms (median).", figure(r.images_per_s),
                       count_of(static_cast<std::int64_t>(r.instances.size()), "instance", "instances"),
                       count_of(r.threads_per_instance, "thread", "threads"), r.batch, figure(r.latency_ms.p50));
  if (r.percent_of_peak && *r.percent_of_peak > 0)
    text +=
        fmt::format(" That is {} % of what this machine can do in {}.", percent(*r.percent_of_peak), r.model.precision);
  if (r.accuracy)
    text +=
        fmt::format("{}{} % of {} images are recognised at once, {} % among the best five.", text.empty() ? "" : " ",
                    percent(r.accuracy->top1), grouped(r.accuracy->images), percent(r.accuracy->top5));
  if (!r.points.empty()) {
    const auto best = std::max_element(r.points.begin(), r.points.end(), [](const RunPoint& a, const RunPoint& b) {
      return a.images_per_s < b.images_per_s;
    });
    text += fmt::format("{}{} settings; the best does {} images/s: batch {}, {} of {}, {}.", text.empty() ? "" : " ",
                        r.points.size(), figure(best->images_per_s), best->batch,
                        count_of(best->instances, "instance", "instances"),
                        count_of(best->cores_per_instance, "core", "cores"), best->precision);
  }
  if (r.model.synthetic) text += " The weights are random: the speed is real, answers mean nothing.";
  return text;
}

std::string html_verdict(const RunRecord& r) {
  return fmt::format("<p class=\"verdict {}\">{} {}</p>\n<p class=\"lead\">{}</p>\n", run_state_name(r.verdict.state),
                     state_badge(r.verdict.state, r.latency_ms.count > 0 ? r.noise.state : NoiseState::kQuiet),
                     escape_html(verdict_text(r)), escape_html(summary_text(r)));
}

std::string html_tiles(const RunRecord& r) {
  std::string out;
  const LatencySummary& l = r.latency_ms;
  if (r.images_per_s > 0)
    out += tile("Throughput", figure(r.images_per_s), "images/s",
                fmt::format("{} images in {} s", grouped(r.images), figure(r.seconds)));
  if (l.count > 0) {
    out += tile("Latency, median", figure(l.p50), "ms", interval(l));
    if (l.p99)
      out += tile("Latency, p99", figure(*l.p99), "ms", l.p999 ? fmt::format("p99.9 {} ms", figure(*l.p999)) : "");
  }
  if (r.percent_of_peak && *r.percent_of_peak > 0)
    out += tile("Of the machine's peak", percent(*r.percent_of_peak), "%", fmt::format("in {}", r.model.precision));
  if (r.accuracy)
    out += tile("Top-1", fmt::format("{:.2f}", r.accuracy->top1), "%",
                fmt::format("top-5 {:.2f} %, {} images", r.accuracy->top5, grouped(r.accuracy->images)));
  if (r.memory.peak_resident > 0)
    out += tile("Memory, peak", bytes_text(r.memory.peak_resident), "",
                r.memory.weights > 0 ? fmt::format("weights {}", bytes_text(r.memory.weights)) : "");
  if (r.energy.joules && r.images > 0)
    out += tile("Energy", figure(1000 * *r.energy.joules / static_cast<double>(r.images)), "mJ/image",
                figure(r.energy.watts, "W"));
  return out.empty() ? "" : "<ul class=\"tiles\">\n" + out + "</ul>\n";
}

std::string html_chart(const std::string& kind, std::size_t index, const std::string& caption,
                       const std::string& description) {
  return fmt::format(
      "<figure class=\"chart {0}\"><figcaption>{2}</figcaption><div class=\"canvas\"><canvas data-chart=\"{0}\" "
      "data-run=\"{1}\" role=\"img\" aria-label=\"{3}\"></canvas></div></figure>\n",
      kind, index, escape_html(caption), escape_html(description));
}

std::string html_latency(const RunRecord& r, std::size_t index) {
  const LatencySummary& l = r.latency_ms;
  if (l.count == 0) return "";
  const std::vector<double> sorted = sorted_samples(r);
  std::string charts;
  if (!sorted.empty()) {
    const Histogram h = histogram_of(sorted);
    charts += html_chart(
        "histogram", index,
        h.above > 0 ? fmt::format("Runs by latency ({} slower ones lie beyond the right edge)", grouped(h.above))
                    : "Runs by latency",
        fmt::format("Histogram of {} runs between {} and {} ms; the table below has the quantiles.", grouped(l.count),
                    figure(l.min), figure(l.max)));
  }
  charts += html_chart("cdf", index, "Share of runs that took no longer",
                       fmt::format("Cumulative distribution: half of the runs within {} ms, 90 % within {} ms.",
                                   figure(l.p50), figure(l.p90)));
  HtmlTable table(fmt::format("Quantiles of {}, each a measured value", count_of(l.count, "run", "runs")),
                  {"Quantile", ">Latency, ms"});
  const auto add = [&](const char* name, const std::string& value) { table.row({name, value}); };
  add("least", figure(l.min));
  add("median", figure(l.p50));
  if (l.median_low && l.median_high)
    add("median, 95 % interval", fmt::format("{} – {}", figure(*l.median_low), figure(*l.median_high)));
  add("p90", figure(l.p90));
  add("p99", l.p99 ? figure(*l.p99) : "needs 299 runs");
  add("p99.9", l.p999 ? figure(*l.p999) : "needs 2,995 runs");
  add("most", figure(l.max));
  add("mean", figure(l.mean));
  add("coefficient of variation", fmt::format("{} %", percent(100 * l.coefficient_of_variation)));
  std::string note = fmt::format("<p class=\"note\">One run is one batch of {}", grouped(r.batch));
  if (r.warm_up_runs > 0)
    note += fmt::format("; {} of warm-up came before and do not count", count_of(r.warm_up_runs, "run", "runs"));
  note +=
      sorted.empty() ? ". The record holds no single samples, so the curve joins the known quantiles.</p>" : ".</p>";
  return html_section("Latency",
                      "<div class=\"charts\">" + charts + "</div><div class=\"few\">" + table.html() + "</div>" + note);
}

std::string html_instances(const RunRecord& r) {
  if (r.instances.empty()) return "";
  HtmlTable table("Each instance",
                  {"Instance", "Cores", "~NUMA node", "End", ">~Images", ">~Seconds", ">Images/s", ">Median, ms"});
  for (const RunInstance& i : r.instances) {
    std::string end = instance_state_name(i.state);
    if (i.state == InstanceState::kDied)
      end += i.exit < 0 ? fmt::format(" (signal {})", -std::int64_t{i.exit}) : fmt::format(" (exit status {})", i.exit);
    table.row({fmt::format("{}", i.index), cores_text(i.cores), i.numa_node < 0 ? "–" : fmt::format("{}", i.numa_node),
               end, grouped(i.images), figure(i.seconds), figure(i.images_per_s),
               i.latency_ms.count ? figure(i.latency_ms.p50) : "–"});
  }
  return html_section("Instances", table.html());
}

std::string html_layers(const RunRecord& r, std::size_t index) {
  if (r.layers.empty()) return "";
  double total = 0;
  std::size_t slow = 0;
  for (const RunLayer& l : r.layers) {
    total += l.ms;
    slow += l.macs > 0 && l.percent_of_peak < kSlowLayerPercent;
  }
  std::string charts;
  if (r.peak)
    charts +=
        html_chart("roofline", index, "Roofline: every layer with multiplications is a point",
                   "Speed of each layer against its multiply-accumulates per byte, under the measured roofs of the "
                   "processor and the memory; the table of layers has the figures.");
  charts += html_chart("bars", index, "The layers that take the most time",
                       "Bars of time for the slowest layers; the table of layers has the figures.");
  HtmlTable table(
      fmt::format("All {}, in running order, together {} ms",
                  count_of(static_cast<std::int64_t>(r.layers.size()), "layer", "layers"), figure(total)),
      {"Layer", "~Operator", "~Algorithm", ">ms", ">~Share, %", ">~MACs", ">~Bytes", ">% of roof", "Bound by"});
  for (const RunLayer& l : r.layers)
    table.row({escape_html(l.name), escape_html(l.op), escape_html(l.tactic), figure(l.ms),
               percent(total > 0 ? 100 * l.ms / total : 0), prefixed(l.macs),
               bytes_text(static_cast<std::int64_t>(std::clamp(l.bytes, 0.0, 9e18))), percent(l.percent_of_peak),
               escape_html(l.bound)});
  std::string note;
  if (slow > 0)
    note = fmt::format("<p class=\"note\">{} below {} % of {} nearest roof.</p>",
                       count_of(static_cast<std::int64_t>(slow), "layer with multiplications stays",
                                "layers with multiplications stay"),
                       fmt::format("{:g}", kSlowLayerPercent), slow == 1 ? "its" : "their");
  return html_section("Layers", "<div class=\"charts stacked\">" + charts + "</div>" + note +
                                    "<details><summary>Table of all layers</summary>" + table.html() + "</details>");
}

std::string html_accuracy(const RunRecord& r, const HtmlOptions& options) {
  if (!r.accuracy) return "";
  const RunAccuracy& a = *r.accuracy;
  HtmlTable table("Accuracy", {"What", ">Value"});
  table.row({"top-1", fmt::format("{:.2f} %", a.top1)});
  table.row({"top-5", fmt::format("{:.2f} %", a.top5)});
  table.row({"images counted", grouped(a.images)});
  if (a.failed > 0) table.row({"images that could not be read", grouped(a.failed)});
  if (a.unlabelled > 0) table.row({"images without a label", grouped(a.unlabelled)});
  std::vector<const RunMistake*> surest;
  for (const RunMistake& m : a.mistakes) surest.push_back(&m);
  std::stable_sort(surest.begin(), surest.end(),
                   [](const RunMistake* x, const RunMistake* y) { return x->probability > y->probability; });
  surest.resize(std::min(surest.size(), static_cast<std::size_t>(std::max(0, options.max_mistakes))));
  std::string cards;
  for (const RunMistake* m : surest) cards += mistake_card(*m, options.thumbnail_pixels);
  if (!cards.empty())
    cards = fmt::format("<h4>Mistakes, the surest first ({} of {})</h4><ul class=\"mistakes\">{}</ul>", surest.size(),
                        grouped(static_cast<std::int64_t>(a.mistakes.size())), cards);
  return html_section("Accuracy", "<div class=\"few\">" + table.html() + "</div>" + cards);
}

std::string html_conditions(const RunRecord& r) {
  std::string out;
  HtmlFacts noise("What disturbed the run");
  noise.add("verdict", noise_state_name(r.noise.state));
  if (r.latency_ms.count > 0) {
    noise.add("stolen by the hypervisor", fmt::format("{} %", percent(r.noise.steal_percent)));
    noise.add("other processes",
              r.noise.other_load_percent ? percent(*r.noise.other_load_percent) + " % of all processors" : "not known");
    noise.add("context switches", fmt::format("{} involuntary, {} voluntary", grouped(r.noise.involuntary_switches),
                                              grouped(r.noise.voluntary_switches)));
    noise.add("clock before and after",
              fmt::format("{}, {}", figure(r.noise.clock_before_mhz, "MHz"), figure(r.noise.clock_after_mhz, "MHz")));
    noise.add("peak, after against before",
              fmt::format("{}{} %", r.noise.peak_change_percent > 0 ? "+" : "", percent(r.noise.peak_change_percent)));
    noise.add("stopped by the CPU quota", fmt::format("{} times", grouped(r.noise.throttled)));
  }
  out += noise.html();
  if (r.peak) {
    HtmlFacts peak(fmt::format("What the machine can do ({}, measured in this run)",
                               count_of(r.peak->threads, "thread", "threads")));
    const auto rate = [](double v, const char* unit) {
      return v > 0 ? fmt::format("{} {}", figure(v), unit) : std::string("–");
    };
    peak.add("fp32", rate(r.peak->fp32_gmacs, "GMAC/s"));
    peak.add("bf16", rate(r.peak->bf16_gmacs, "GMAC/s"));
    peak.add("int8", rate(r.peak->int8_gmacs, "GMAC/s"));
    peak.add("memory, reading", rate(r.peak->memory_gbytes, "GB/s"));
    peak.add("level-2 caches, reading", rate(r.peak->l2_gbytes, "GB/s"));
    out += peak.html();
  }
  HtmlFacts memory("Memory and energy");
  memory.add("process, peak", bytes_text(r.memory.peak_resident));
  memory.add("packed weights", bytes_text(r.memory.weights));
  memory.add("activations of an instance", bytes_text(r.memory.arena));
  if (r.energy.joules)
    memory.add("energy of the processor packages",
               fmt::format("{}, {}", figure(r.energy.joules, "J"), figure(r.energy.watts, "W")));
  else
    memory.add("energy", r.energy.absent_because.empty() ? "not measured" : "not known: " + r.energy.absent_because);
  return html_section("Conditions", "<div class=\"columns\">" + out + memory.html() + "</div>");
}

std::string html_provenance(const RunRecord& r) {
  HtmlFacts settings("Settings"), model("Model and data"), machine("Machine");
  for (const auto& [key, value] : r.settings) settings.add(key, value);
  model.add("model", r.model.name);
  model.add("precision", r.model.precision);
  model.add("weights", r.model.synthetic ? "random (synthetic)" : r.model.file);
  model.add("SHA-256", r.model.sha256);
  if (r.model.macs > 0) model.add("work of one image", prefixed(r.model.macs) + "MAC");
  model.add("data", r.data.name);
  model.add("data from", r.data.path);
  model.add("SHA-256 of the data's list", r.data.sha256);
  if (r.data.images > 0) model.add("images in the set", grouped(r.data.images));
  for (const auto& [key, value] : r.machine.items()) machine.add(key, machine_text(key, value));
  for (const auto& [key, value] : r.tool.items()) machine.add("program: " + key, text_of(value));
  std::string command;
  for (const std::string& word : r.command) command += (command.empty() ? "" : " ") + word;
  const std::string how =
      command.empty() ? "" : "<h4>Command</h4><pre tabindex=\"0\">" + escape_html(command) + "</pre>";
  return html_section("How it was measured",
                      how + "<div class=\"columns\">" + settings.html() + model.html() + machine.html() + "</div>");
}

}  // namespace fovea
