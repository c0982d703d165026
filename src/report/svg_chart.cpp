#include "report/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/html_text.h"

namespace fovea {
namespace {

// Of the drawing; the browser scales it to the width that there is.
constexpr double kWidth = 480, kHeight = 300, kLeft = 62, kRight = 14, kTop = 14, kBottom = 46;
constexpr double kLargest = 1e15;
constexpr double kFarApart = 30;  // beyond which a linear axis shows nothing of the small values

using Ticks = std::vector<std::pair<double, std::string>>;

bool fits(double value) { return std::isfinite(value) && value >= 0 && value <= kLargest; }

// Values to a place in the drawing.
struct Scale {
  double low = 0, high = 1, from = 0, to = 1;
  bool logarithmic = false;

  double operator()(double value) const {
    const double at = logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return from + at * (to - from);
  }
};

std::string tick_text(double value) {
  return value >= 10'000 ? grouped(std::llround(value)) : fmt::format("{:.4g}", value);
}

// Multiples of 1, 2 or 5 times a power of ten, about six of them.
Ticks linear_ticks(double low, double high) {
  const double wanted = (high - low) / 6, power = std::pow(10, std::floor(std::log10(wanted)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= wanted) step = factor * power;
  Ticks ticks;
  for (double i = std::ceil(low / step); i * step <= high * (1 + 1e-12); ++i)
    ticks.emplace_back(i * step, tick_text(i * step));
  return ticks;
}

// 1, 2 and 5 of every power of ten; the powers alone, or some of them, where that would be many.
Ticks logarithmic_ticks(double low, double high) {
  const double decades = std::log10(high / low);
  const int every = std::max(1, static_cast<int>(decades / 6));
  Ticks ticks;
  for (int power = static_cast<int>(std::floor(std::log10(low))); power <= std::log10(high); power += every)
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10, power);
      if (value < low || value > high || (factor != 1 && decades > 2.5)) continue;
      ticks.emplace_back(value, tick_text(value));
    }
  return ticks;
}

Scale scale_of(const SvgAxis& axis, std::vector<double> values, bool may_be_logarithmic) {
  for (const auto& [value, text] : axis.ticks) values.push_back(value);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  Scale scale;
  scale.low = *least;
  scale.high = *most;
  scale.logarithmic = may_be_logarithmic && scale.low > 0 && scale.high > kFarApart * scale.low;
  if (scale.logarithmic) {
    scale.low *= 0.8;
    scale.high *= 1.25;
    return scale;
  }
  if (axis.from_zero) scale.low = 0;
  const double room = axis.ticks.empty() ? std::max(0.08 * (scale.high - scale.low), 0.02 * scale.high) : 0;
  scale.low = axis.from_zero ? 0 : std::max(0.0, scale.low - room);
  scale.high += room;
  if (!(scale.high > scale.low)) scale.high = scale.low + 1;
  return scale;
}

std::string text_at(double x, double y, const char* anchor, const char* of_class, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor,
                     *of_class ? fmt::format(" class=\"{}\"", of_class) : "", escape_html(text));
}

class Drawing {
 public:
  Drawing(const SvgChart& chart, std::vector<SvgPoint> points) : chart_(chart), points_(std::move(points)) {
    std::vector<double> x, y;
    for (const SvgPoint& p : points_) x.push_back(p.x), y.push_back(p.y);
    for (const SvgRule& r : chart.rules)
      if (fits(r.at)) (r.horizontal ? y : x).push_back(r.at);
    x_ = scale_of(chart.x, std::move(x), false);
    y_ = scale_of(chart.y, std::move(y), true);
    x_.from = kLeft;
    x_.to = kWidth - kRight;
    y_.from = kHeight - kBottom;
    y_.to = kTop;
  }

  std::string svg() const {
    return fmt::format("<svg class=\"plot\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\">\n",
                       escape_html(chart_.description), kWidth, kHeight) +
           axes() + rules() + joined() + marks() + "</svg>";
  }

 private:
  static std::string line(const char* of_class, double x1, double y1, double x2, double y2) {
    return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", of_class, x1,
                       y1, x2, y2);
  }

  std::string axes() const {
    const auto ticks = [](const SvgAxis& axis, const Scale& scale) {
      if (!axis.ticks.empty()) return axis.ticks;
      return scale.logarithmic ? logarithmic_ticks(scale.low, scale.high) : linear_ticks(scale.low, scale.high);
    };
    std::string out;
    for (const auto& [value, text] : ticks(chart_.y, y_))
      out += line("tick", x_.from, y_(value), x_.to, y_(value)) + text_at(x_.from - 6, y_(value) + 4, "end", "", text);
    for (const auto& [value, text] : ticks(chart_.x, x_))
      out += line("tick", x_(value), y_.from, x_(value), y_.to) + text_at(x_(value), y_.from + 16, "middle", "", text);
    out += fmt::format("<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", x_.from, y_.to,
                       x_.to - x_.from, y_.from - y_.to);
    out += text_at((x_.from + x_.to) / 2, kHeight - 8, "middle", "", chart_.x.title);
    out += fmt::format("<text transform=\"translate(13 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                       (y_.from + y_.to) / 2, escape_html(chart_.y.title + (y_.logarithmic ? " (logarithmic)" : "")));
    return out;
  }

  std::string rules() const {
    std::string out;
    for (const SvgRule& r : chart_.rules) {
      if (!fits(r.at) || (r.horizontal && y_.logarithmic && r.at == 0)) continue;
      if (r.horizontal) {
        const double y = y_(r.at);
        // Below the line where there is no room above it.
        out += line("rule", x_.from, y, x_.to, y) +
               text_at(x_.from + 6, y < kTop + 18 ? y + 15 : y - 5, "start", "rule-label", r.label);
      } else {
        const double x = x_(r.at);
        const bool left = x > (x_.from + x_.to) / 2;
        out += line("rule", x, y_.from, x, y_.to) +
               text_at(left ? x - 5 : x + 5, y_.from - 8, left ? "end" : "start", "rule-label", r.label);
      }
    }
    return out;
  }

  std::string joined() const {
    std::string path;
    for (const SvgPoint& p : points_)
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x_(p.x), y_(p.y));
    return fmt::format("<path class=\"joined\" d=\"{}\"/>\n", path);
  }

  std::string marks() const {
    std::string out;
    for (const SvgPoint& p : points_) {
      if (p.mark == SvgMark::kNone) continue;
      const double x = x_(p.x), y = y_(p.y);
      const std::string told = fmt::format("<title>{}</title>", escape_html(p.label));
      if (p.mark == SvgMark::kCross)
        out += fmt::format(
            "<path class=\"cross\" d=\"M{0:.1f} {2:.1f}L{1:.1f} {3:.1f}M{0:.1f} {3:.1f}L{1:.1f} {2:.1f}\">{4}</path>\n",
            x - 5, x + 5, y - 5, y + 5, told);
      else
        out += fmt::format("<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\">{}</circle>\n", x, y,
                           p.mark == SvgMark::kBigDot ? "6.5" : "4", told);
    }
    return out;
  }

  const SvgChart& chart_;
  std::vector<SvgPoint> points_;
  Scale x_, y_;
};

}  // namespace

std::string render_svg(const SvgChart& chart) {
  std::vector<SvgPoint> points;
  for (const SvgPoint& p : chart.points)
    if (fits(p.x) && fits(p.y)) points.push_back(p);
  if (points.empty()) return "";
  return fmt::format("<figure><figcaption>{}</figcaption>{}</figure>\n", escape_html(chart.caption),
                     Drawing(chart, std::move(points)).svg());
}

}  // namespace fovea
