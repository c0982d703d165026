// html_text: texts, figures and tables as HTML, everything escaped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

// For element content and for attribute values in double quotes.
std::string escape_html(std::string_view text);

// "1,234,567"
std::string grouped(std::int64_t value);
// Four significant digits with thousands separators and no exponent: "1,568", "61.50", "0.012"; "–" where absent.
std::string figure(double value);
// "63.4", "0.05", without the sign.
std::string percent(double value);
std::string figure(const std::optional<double>& value, std::string_view unit = "");
// "26.0 MiB"; "–" for 0.
std::string bytes_text(std::int64_t bytes);
// "4.10 G"
std::string prefixed(double value);

// Rows of cells that are HTML already. A heading that starts with '>' is of numbers, with '~' is left out on narrow
// screens (both: ">~").
class HtmlTable {
 public:
  HtmlTable(std::string caption, std::vector<std::string> headings);
  void row(std::vector<std::string> cells_html);
  bool empty() const { return rows_.empty(); }
  // In a region that scrolls by itself and can be reached by keyboard.
  std::string html() const;

 private:
  struct Column {
    std::string heading;
    bool number = false, wide = false;
  };
  std::string caption_;
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Two columns of what belongs together, as texts; pairs without a value are left out.
class HtmlFacts {
 public:
  explicit HtmlFacts(std::string caption);
  void add(const std::string& key, const std::string& value);
  std::string html() const;  // "" where there is no pair

 private:
  HtmlTable table_;
};

// A box with a heading of the third level; "" where there is no body. `title` is text, `body` HTML.
std::string html_section(const std::string& title, const std::string& body);

std::string base64(std::span<const std::byte> bytes);
// Source expression of a Content-Security-Policy: 'sha256-…'.
std::string csp_hash(std::string_view inline_text);

}  // namespace fovea
