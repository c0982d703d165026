#include "report/svg_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "report/html_page.h"

namespace fovea {
namespace {

using testing::HasSubstr;
using testing::Not;

SvgChart sample_chart() {
  SvgChart chart;
  chart.caption = "Latency";
  chart.description = "A line that rises.";
  chart.x.title = "queries a second";
  chart.y.title = "p99, ms";
  chart.points = {{100, 4, SvgMark::kDot, "100: VALID"}, {200, 12, SvgMark::kCross, "200: INVALID"}};
  chart.rules = {{true, 10, "limit 10 ms"}};
  return chart;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++n;
  return n;
}

TEST(SvgChart, HasItsPointsItsRuleAndItsWords) {
  const std::string svg = render_svg(sample_chart());
  EXPECT_EQ(count_of(svg, "<circle"), 1u);
  EXPECT_EQ(count_of(svg, "class=\"cross\""), 1u);
  EXPECT_EQ(count_of(svg, "class=\"rule\""), 1u);
  for (const char* part : {"limit 10 ms", "role=\"img\" aria-label=\"A line that rises.\"",
                           "<title>200: INVALID</title>", "queries a second", "<figcaption>Latency</figcaption>"})
    EXPECT_THAT(svg, HasSubstr(part));
}

TEST(SvgChart, ALimitStandsBetweenWhatHoldsItAndWhatDoesNot) {
  const std::string svg = render_svg(sample_chart());
  const auto number_behind = [&](const std::string& part) {
    const auto at = svg.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return std::stod(svg.substr(at + part.size()));
  };
  const double limit = number_behind("class=\"rule\" x1=\"62.0\" y1=\""), held = number_behind("cy=\"");
  EXPECT_GT(held, limit);  // y grows downwards
  const auto path = svg.find("class=\"joined\" d=\"M");
  const double missed = std::stod(svg.substr(svg.find(' ', svg.find('L', path)) + 1));
  EXPECT_LT(missed, limit);
}

TEST(SvgChart, ValuesFarApartGetALogarithmicAxis) {
  SvgChart chart = sample_chart();
  chart.points[1].y = 4000;
  const std::string svg = render_svg(chart);
  EXPECT_THAT(svg, HasSubstr(">1000</text>"));
  EXPECT_THAT(svg, HasSubstr(">10</text>"));
}

TEST(SvgChart, TextsStayTextsAndAbsurdFiguresDoNoHarm) {
  SvgChart chart = sample_chart();
  chart.caption = chart.description = chart.x.title = chart.rules[0].label = chart.points[0].label = "\"><script>";
  chart.points.push_back({std::numeric_limits<double>::quiet_NaN(), 1});
  chart.points.push_back({1, std::numeric_limits<double>::infinity()});
  chart.points.push_back({-5, 1e300});
  chart.rules.push_back({false, -1e300, "no"});
  const std::string svg = render_svg(chart);
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_EQ(count_of(svg, "<circle"), 1u);
  chart.points = {{0, 0}};
  chart.rules.clear();
  EXPECT_EQ(count_of(render_svg(chart), "<circle"), 1u);
  chart.points.clear();
  EXPECT_EQ(render_svg(chart), "");
}

TEST(HtmlPage, WithoutScriptsThePolicyAllowsNone) {
  HtmlPage page;
  page.title = "<b>";
  page.main = "<p>words</p>";
  page.styles = {"web/svg_chart.css"};
  const std::string html = render_page(page);
  EXPECT_THAT(html, HasSubstr("default-src 'none'; style-src 'sha256-"));
  EXPECT_THAT(html, Not(HasSubstr("script")));
  EXPECT_THAT(html, HasSubstr("<h1>&lt;b&gt;</h1>"));
  EXPECT_THAT(html, HasSubstr(".plot"));
}

}  // namespace
}  // namespace fovea
