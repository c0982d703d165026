// svg_chart: points and lines over two axes as inline SVG, which needs no script. web/svg_chart.css has its colours.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace fovea {

enum class SvgMark : std::uint8_t { kNone, kDot, kBigDot, kCross };

struct SvgPoint {
  double x = 0, y = 0;
  SvgMark mark = SvgMark::kDot;
  std::string label;  // told where the pointer rests
};

struct SvgAxis {
  std::string title;
  bool from_zero = true;                              // the axis begins at 0; otherwise near the least value
  std::vector<std::pair<double, std::string>> ticks;  // in ascending order; made where there are none
};

// A line across the whole chart, such as a limit.
struct SvgRule {
  bool horizontal = true;
  double at = 0;
  std::string label;
};

struct SvgChart {
  std::string caption, description;  // below which it stands; what a screen reader says
  SvgAxis x, y;                      // y is logarithmic where its values lie far apart
  std::vector<SvgPoint> points;      // joined in this order
  std::vector<SvgRule> rules;
};

// A <figure>, all texts escaped. Points that no axis can hold (not finite, beyond 1e15, negative) are left out; ""
// where none is left.
std::string render_svg(const SvgChart& chart);

}  // namespace fovea
