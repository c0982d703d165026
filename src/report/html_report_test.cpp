#include "report/html_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "report/csv_report.h"
#include "report/html_charts.h"
#include "report/html_text.h"
#include "report/sample_record.h"

namespace fovea {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HtmlText, NothingOfATextBecomesMarkup) {
  EXPECT_EQ(escape_html("<a href=\"x\">'&\x01"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp; ");
}

TEST(HtmlText, Figures) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(grouped(-123), "-123");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(figure(1567.6), "1,568");
  EXPECT_EQ(figure(61.5), "61.50");
  EXPECT_EQ(figure(0.01234), "0.012");
  EXPECT_EQ(figure(std::optional<double>()), "–");
  EXPECT_EQ(figure(std::numeric_limits<double>::quiet_NaN()), "–");
  EXPECT_EQ(percent(63.44), "63.4");
  EXPECT_EQ(base64(std::as_bytes(std::span("Man", 3))), "TWFu");
  EXPECT_EQ(csp_hash("abc"), "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='");
}

TEST(HtmlCharts, AHistogramHoldsEverySample) {
  std::vector<double> sorted(1000);
  std::iota(sorted.begin(), sorted.end(), 1.0);
  sorted.back() = 1e6;
  const Histogram h = histogram_of(sorted);
  EXPECT_EQ(std::accumulate(h.counts.begin(), h.counts.end(), h.above), 1000);
  EXPECT_EQ(h.above, 5);
  EXPECT_DOUBLE_EQ(h.low, 1);
  EXPECT_NEAR(h.low + h.width * static_cast<double>(h.counts.size()), 995, 1e-9);
  for (const std::vector<double>& same : {std::vector<double>{3.0}, std::vector<double>(50, 3.0)}) {
    const Histogram flat = histogram_of(same);
    EXPECT_GT(flat.width, 0);
    EXPECT_EQ(std::accumulate(flat.counts.begin(), flat.counts.end(), flat.above),
              static_cast<std::int64_t>(same.size()));
  }
}

TEST(HtmlCharts, ADistributionBeginsAndEndsWithTheSamples) {
  std::vector<double> sorted(5000);
  std::iota(sorted.begin(), sorted.end(), 1.0);
  const auto points = distribution_of(sorted, 300);
  ASSERT_EQ(points.size(), 300u);
  EXPECT_EQ(points.front().first, 1);
  EXPECT_EQ(points.back(), (std::pair<double, double>(5000, 1)));
  EXPECT_EQ(distribution_of(std::vector<double>{2.0}).size(), 1u);
}

TEST(HtmlReport, ShowsEveryPart) {
  const RunRecord record = sample_record();
  const std::string page = render_html({&record, 1});
  for (const char* part :
       {"test_resnet50_inference_throughput", "Do not use these figures", "instance 1 died of signal 9",
        "died (signal 9)", "other processes took 12 %", "conv1", "tiger shark", "image not readable", "no RAPL domain",
        "batch-size", "needs 2,995 runs", "Chart.js"})
    EXPECT_THAT(page, HasSubstr(part));
}

TEST(HtmlReport, HasNothingOfTheRecordAsMarkup) {
  RunRecord record = sample_record();
  const std::string bad = "</script><img src=x onerror=alert(1)>\"'";
  record.model.name = record.name = record.command[0] = record.layers[0].name = record.layers[0].op = bad;
  record.settings[0] = {bad, bad};
  record.machine["cpu"] = bad;
  record.verdict.reasons = record.noise.reasons = {bad};
  const std::string page = render_html({&record, 1});
  EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(page, Not(HasSubstr("\"'</")));
  std::size_t scripts = 0;
  for (std::size_t at = 0; (at = page.find("</script>", at)) != std::string::npos; ++at) ++scripts;
  EXPECT_EQ(scripts, 3u);
}

TEST(HtmlReport, AbsurdFiguresDoNoHarm) {
  RunRecord record = sample_record();
  record.instances[0].samples_ms = {-1e308, 0, 1e308};
  record.layers[0].bytes = record.layers[0].macs = 1e300;
  record.layers[0].ms = -1;
  record.batch = record.images = INT64_MIN;
  record.instances[0].cores = {INT32_MAX, INT32_MIN};
  record.accuracy->top1 = 1e300;
  record.memory.peak_resident = INT64_MAX;
  EXPECT_THAT(render_html({&record, 1}), HasSubstr("</html>"));
  EXPECT_THAT(render_csv({&record, 1}), HasSubstr("1e+300"));
}

TEST(HtmlReport, NothingIsLoadedFromElsewhere) {
  const RunRecord record = sample_record();
  const std::string page = render_html({&record, 1});
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("src=\"http")));
  EXPECT_THAT(page, Not(HasSubstr("<link rel=\"stylesheet")));
  EXPECT_THAT(page, Not(HasSubstr(" style=\"")));
}

TEST(CsvReport, RowsAndCells) {
  RunRecord record = sample_record();
  record.model.name = "=cmd|' /C calc'!A0";
  record.name = "a,\"b\"";
  const std::string csv = render_csv({&record, 1});
  std::vector<std::string> lines;
  for (std::size_t at = 0, end; (end = csv.find("\r\n", at)) != std::string::npos; at = end + 2)
    lines.push_back(csv.substr(at, end - at));
  ASSERT_EQ(lines.size(), 3u);  // headings, the record, the point of its sweep
  EXPECT_THAT(lines[1], HasSubstr("\"a,\"\"b\"\"\""));
  EXPECT_THAT(lines[1], HasSubstr(",'=cmd|' /C calc'!A0,"));
  const auto commas = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  EXPECT_EQ(commas(lines[1]) - 1, commas(lines[0]));
  EXPECT_EQ(commas(lines[2]) - 1, commas(lines[0]));
  EXPECT_THAT(lines[1], testing::EndsWith(",noisy,invalid"));
}

}  // namespace
}  // namespace fovea
