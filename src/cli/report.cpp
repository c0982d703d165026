// fovea report: pages, tables and comparisons of run records.
#include "base/atomic_file.h"
#include "cli/command.h"
#include "cli/run_report.h"
#include "cli/table.h"
#include "report/compare_records.h"
#include "report/csv_report.h"
#include "report/html_report.h"

namespace fovea::cli {
namespace {

Result<std::vector<RunRecord>> read_all(const std::vector<std::string>& files) {
  std::vector<RunRecord> records;
  for (const std::string& file : files) {
    FOVEA_TRY(RunRecord record, read_run_record(file));
    records.push_back(std::move(record));
  }
  return records;
}

void add_records_option(CLI::App& command, std::vector<std::string>& files) {
  command.add_option("records", files, "Run records (JSON), such as `fovea bench --report run.json` writes")
      ->required()
      ->type_name("FILE...");
}

struct PageOptions {
  std::vector<std::string> files;
  std::string to;
  HtmlOptions html;
};

Status write_page(const PageOptions& options, const Context& context) {
  FOVEA_TRY(const std::vector<RunRecord> records, read_all(options.files));
  const std::string page = render_html(records, options.html);
  FOVEA_RETURN_IF_ERROR(write_file_atomically(options.to, page));
  say(context,
      fmt::format("{}: {} run(s), {}\n", options.to, records.size(), short_bytes(static_cast<double>(page.size()))));
  return deliver(context, {{"written", options.to}, {"records", records.size()}, {"bytes", page.size()}});
}

void add_html(CLI::App& command, Context& context) {
  auto options = std::make_shared<PageOptions>();
  add_records_option(command, options->files);
  command.add_option("-o,--to", options->to, "The page to write")->required()->type_name("FILE");
  command.add_option("--title", options->html.title, "Heading of the page");
  command.add_option("--mistakes", options->html.max_mistakes, "Misclassified images to show of each run")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  add_common_options(command, context,
                     "  fovea report html run.json -o run.html\n"
                     "  fovea report html fp32.json int8.json -o both.html --title \"resnet50 before and after\"");
  command.callback(
      [options, &context] { context.run = [options, &context] { return write_page(*options, context); }; });
}

struct TableOptions {
  std::vector<std::string> files;
  std::string to;
};

Status write_table(const TableOptions& options, const Context& context) {
  FOVEA_TRY(const std::vector<RunRecord> records, read_all(options.files));
  const std::string csv = render_csv(records);
  if (options.to.empty())
    say(context, csv);
  else
    FOVEA_RETURN_IF_ERROR(write_file_atomically(options.to, csv));
  return deliver(context, {{"written", options.to}, {"records", records.size()}});
}

void add_csv(CLI::App& command, Context& context) {
  auto options = std::make_shared<TableOptions>();
  add_records_option(command, options->files);
  command.add_option("-o,--to", options->to, "The file to write; without it, standard output")->type_name("FILE");
  add_common_options(command, context, "  fovea report csv *.json > runs.csv");
  command.callback(
      [options, &context] { context.run = [options, &context] { return write_table(*options, context); }; });
}

std::string number(const std::optional<double>& value, const char* otherwise = "-") {
  return value ? fmt::format("{:.3f}", *value) : otherwise;
}

std::string show_one(const RunRecord& r) {
  std::string text = fmt::format("{} {} {}{}, batch {}, {} instance(s) x {} thread(s), {}\n", run_kind_name(r.kind),
                                 plain_text(r.name.empty() ? r.model.name : r.name + " (" + r.model.name + ")"),
                                 plain_text(r.model.precision), r.model.synthetic ? " (SYNTHETIC weights)" : "",
                                 r.batch, r.instances.size(), r.threads_per_instance, plain_text(r.started_utc));
  text +=
      fmt::format("  verdict      {}; machine {}", run_state_name(r.verdict.state), noise_state_name(r.noise.state));
  for (const auto* reasons : {&r.verdict.reasons, &r.noise.reasons})
    for (const std::string& reason : *reasons) text += "; " + plain_text(reason);
  text += "\n";
  if (r.images_per_s > 0)
    text += fmt::format("  throughput   {:.2f} images/s{}\n", r.images_per_s,
                        r.percent_of_peak ? fmt::format(", {:.1f} % of the measured peak", *r.percent_of_peak) : "");
  const LatencySummary& l = r.latency_ms;
  if (l.count > 0)
    text += fmt::format("  latency ms   median {:.3f} [{}, {}]  p90 {:.3f}  p99 {}  p99.9 {}  max {:.3f}  ({} runs)\n",
                        l.p50, number(l.median_low), number(l.median_high), l.p90, number(l.p99, "n too small"),
                        number(l.p999, "n too small"), l.max, l.count);
  if (r.accuracy)
    text += fmt::format("  accuracy     top-1 {:.2f} %, top-5 {:.2f} % of {} images\n", r.accuracy->top1,
                        r.accuracy->top5, r.accuracy->images);
  text +=
      fmt::format("  memory       process peak {}, weights {}, activations {} an instance\n",
                  short_bytes(static_cast<double>(r.memory.peak_resident)),
                  short_bytes(static_cast<double>(r.memory.weights)), short_bytes(static_cast<double>(r.memory.arena)));
  text += r.energy.joules
              ? fmt::format("  energy       {:.1f} J, {:.1f} W\n", *r.energy.joules, r.energy.watts.value_or(0))
              : fmt::format("  energy       not known: {}\n", plain_text(r.energy.absent_because));
  if (r.instances.size() > 1) {
    Table table({">instance", "state", ">images", ">images/s", ">median ms"});
    for (const RunInstance& i : r.instances)
      table.row({fmt::format("{}", i.index), instance_state_name(i.state), fmt::format("{}", i.images),
                 fmt::format("{:.2f}", i.images_per_s), fmt::format("{:.3f}", i.latency_ms.p50)});
    text += table.text();
  }
  if (!r.points.empty()) {
    Table table({"precision", ">batch", ">instances", ">cores each", ">images/s", ">median ms", "verdict"});
    for (const RunPoint& p : r.points)
      table.row({plain_text(p.precision), fmt::format("{}", p.batch), fmt::format("{}", p.instances),
                 fmt::format("{}", p.cores_per_instance), fmt::format("{:.2f}", p.images_per_s),
                 fmt::format("{:.3f}", p.latency_ms.p50), run_state_name(p.state)});
    text += table.text();
  }
  return text;
}

Status show(const std::vector<std::string>& files, const Context& context) {
  FOVEA_TRY(const std::vector<RunRecord> records, read_all(files));
  nlohmann::json all = nlohmann::json::array();
  for (const RunRecord& record : records) {
    say(context, show_one(record));
    all.push_back(to_json(record));
  }
  return deliver(context, {{"records", std::move(all)}});
}

void add_show(CLI::App& command, Context& context) {
  auto files = std::make_shared<std::vector<std::string>>();
  add_records_option(command, *files);
  add_common_options(command, context, "  fovea report show run.json");
  command.callback([files, &context] { context.run = [files, &context] { return show(*files, context); }; });
}

struct ComparisonOptions {
  std::vector<std::string> pair, before, after;
  CompareRecordsOptions compare;
};

std::string text_of(const RecordComparison& c, double min_change_percent) {
  std::string text = fmt::format("{}: {:.4f} times as fast", speed_change_name(c.change), c.ratio);
  if (c.has_interval) text += fmt::format(", 95 % interval {:.4f} to {:.4f}", c.low, c.high);
  text += fmt::format(" (a change below {:g} % counts as none)\n", min_change_percent);
  text += fmt::format(
      "  an image takes {:.4f} ms before, {:.4f} ms after (median, all instances together)\n  interval: {}\n",
      c.before_ms, c.after_ms, c.method);
  for (const RecordDifference& d : c.differences)
    text += fmt::format("  differs: {}: {}; {}\n", plain_text(d.what), plain_text(d.before), plain_text(d.after));
  for (const std::string& note : c.notes) text += "  note: " + plain_text(note) + "\n";
  return text;
}

Status compare(const ComparisonOptions& options, const Context& context) {
  const bool sets = !options.before.empty() || !options.after.empty();
  if (sets ? !options.pair.empty() || options.before.empty() || options.after.empty() : options.pair.size() != 2)
    return Error(ErrorCode::kUsage, "give two records, or --before and --after with several each");
  FOVEA_TRY(const std::vector<RunRecord> before, read_all(sets ? options.before : std::vector{options.pair[0]}));
  FOVEA_TRY(const std::vector<RunRecord> after, read_all(sets ? options.after : std::vector{options.pair[1]}));
  FOVEA_TRY(const RecordComparison c, compare_records(before, after, options.compare));
  say(context, text_of(c, options.compare.min_change_percent));
  FOVEA_RETURN_IF_ERROR(deliver(context, to_json(c)));
  if (c.change == SpeedChange::kSlower)
    return make_error(ErrorCode::kPerformance, "slower: {:.4f} times as fast as before", c.ratio);
  if (c.change == SpeedChange::kUndecided)
    return Error(ErrorCode::kUnstable, "undecided: more or longer runs are needed");
  return {};
}

void add_record_comparison(CLI::App& command, Context& context) {
  auto options = std::make_shared<ComparisonOptions>();
  command.add_option("records", options->pair, "Two run records: before, then after")->type_name("BEFORE AFTER");
  command.add_option("--before", options->before, "Several records of the old state")->type_name("FILE...");
  command.add_option("--after", options->after, "Several records of the new state")->type_name("FILE...");
  command.add_option("--min-change", options->compare.min_change_percent, "A change of fewer percent counts as none")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command.add_flag("--force", options->compare.force,
                   "Compare different models, precisions, machines or loads, and invalid runs");
  add_common_options(
      command, context,
      "  fovea report compare old.json new.json\n"
      "  fovea report compare --before a1.json a2.json a3.json --after b1.json b2.json b3.json --min-change 2\n"
      "Exit codes: 0 faster or the same, 6 slower, 7 undecided or invalid, 3 not comparable.");
  command.callback([options, &context] { context.run = [options, &context] { return compare(*options, context); }; });
}

}  // namespace

void add_report(CLI::App& command, Context& context) {
  command.require_subcommand(1);
  add_html(*command.add_subcommand("html", "write one HTML page that needs no network"), context);
  add_csv(*command.add_subcommand("csv", "write a table, a row a run"), context);
  add_show(*command.add_subcommand("show", "print records for people"), context);
  add_record_comparison(*command.add_subcommand("compare", "tell whether one run is faster than another"), context);
  command.footer(
      "Examples:\n  fovea bench --model resnet50 --report run.json\n  fovea report html run.json -o run.html\n"
      "  fovea report compare old.json new.json");
}

}  // namespace fovea::cli
