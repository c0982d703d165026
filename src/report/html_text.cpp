#include "report/html_text.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cmath>

namespace fovea {

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string grouped(std::int64_t value) {
  std::string digits = fmt::format("{}", value);
  const std::ptrdiff_t first = value < 0 ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::string figure(double value) {
  if (!std::isfinite(value)) return "–";
  const double size = std::abs(value);
  if (size >= 1e15) return fmt::format("{:.3e}", value);
  if (size >= 1000) return grouped(static_cast<std::int64_t>(std::llround(value)));
  if (size == 0) return "0";
  const int digits_before = static_cast<int>(std::floor(std::log10(size))) + 1;
  return fmt::format("{:.{}f}", value, std::clamp(4 - std::max(digits_before, 1), 0, 3));
}

std::string percent(double value) { return fmt::format("{:.{}f}", value, std::abs(value) < 10 ? 2 : 1); }

std::string figure(const std::optional<double>& value, std::string_view unit) {
  if (!value) return "–";
  return unit.empty() ? figure(*value) : fmt::format("{} {}", figure(*value), unit);
}

std::string bytes_text(std::int64_t bytes) {
  if (bytes <= 0) return "–";
  const auto value = static_cast<double>(bytes);
  if (bytes >= 1 << 30) return fmt::format("{:.2f} GiB", value / (1 << 30));
  if (bytes >= 1 << 20) return fmt::format("{:.1f} MiB", value / (1 << 20));
  if (bytes >= 1 << 10) return fmt::format("{:.1f} KiB", value / (1 << 10));
  return fmt::format("{} B", bytes);
}

std::string prefixed(double value) {
  if (value >= 1e12) return fmt::format("{:.2f} T", value * 1e-12);
  if (value >= 1e9) return fmt::format("{:.2f} G", value * 1e-9);
  if (value >= 1e6) return fmt::format("{:.2f} M", value * 1e-6);
  if (value >= 1e3) return fmt::format("{:.1f} k", value * 1e-3);
  return fmt::format("{:.0f}", value);
}

HtmlTable::HtmlTable(std::string caption, std::vector<std::string> headings) : caption_(std::move(caption)) {
  for (std::string& heading : headings) {
    Column column;
    for (; !heading.empty() && (heading[0] == '>' || heading[0] == '~'); heading.erase(0, 1))
      (heading[0] == '>' ? column.number : column.wide) = true;
    column.heading = std::move(heading);
    columns_.push_back(std::move(column));
  }
}

void HtmlTable::row(std::vector<std::string> cells_html) {
  cells_html.resize(columns_.size());
  rows_.push_back(std::move(cells_html));
}

std::string HtmlTable::html() const {
  const auto classes = [](const Column& c) {
    if (!c.number && !c.wide) return std::string();
    return fmt::format(" class=\"{}{}{}\"", c.number ? "number" : "", c.number && c.wide ? " " : "",
                       c.wide ? "wide" : "");
  };
  const std::string caption = escape_html(caption_);
  std::string out = fmt::format(
      "<div class=\"table\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\"><table>"
      "<caption>{0}</caption>\n<thead><tr>",
      caption);
  for (const Column& c : columns_)
    out += fmt::format("<th scope=\"col\"{}>{}</th>", classes(c), escape_html(c.heading));
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows_) {
    out += "<tr>";
    for (std::size_t i = 0; i < columns_.size(); ++i)
      out += i == 0 ? fmt::format("<th scope=\"row\"{}>{}</th>", classes(columns_[i]), row[i])
                    : fmt::format("<td{}>{}</td>", classes(columns_[i]), row[i]);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

HtmlFacts::HtmlFacts(std::string caption) : table_(std::move(caption), {"What", "Value"}) {}

void HtmlFacts::add(const std::string& key, const std::string& value) {
  if (!value.empty()) table_.row({escape_html(key), escape_html(value)});
}

std::string HtmlFacts::html() const { return table_.empty() ? "" : "<div class=\"facts\">" + table_.html() + "</div>"; }

std::string html_section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : fmt::format("<section><h3>{}</h3>\n{}</section>\n", escape_html(title), body);
}

std::string base64(std::span<const std::byte> bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string csp_hash(std::string_view inline_text) {
  std::byte digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(inline_text.data()), inline_text.size(),
         reinterpret_cast<unsigned char*>(digest));
  return "'sha256-" + base64(digest) + "'";
}

}  // namespace fovea
