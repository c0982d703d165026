// Table: rows of text aligned in columns, for terminals.
#pragma once

#include <string>
#include <vector>

namespace fovea::cli {

class Table {
 public:
  // A heading that starts with '>' is right-aligned (numbers).
  explicit Table(std::vector<std::string> headings);
  void row(std::vector<std::string> cells);
  std::string text() const;

 private:
  std::vector<std::string> headings_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// Without control characters: those of a file must not reach a terminal.
std::string plain_text(std::string text);

// "1.23 G", "4.5 M", "12": three significant digits with a decimal prefix.
std::string short_number(double value);
// "3.2 MiB"
std::string short_bytes(double bytes);
// "812 us", "12.3 ms", "1.20 s"
std::string short_time_us(double microseconds);

}  // namespace fovea::cli
