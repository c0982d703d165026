#include "base/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fovea {
namespace {

constexpr std::size_t kMaxCompared = 64;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string folded(std::string_view text) {
  std::string result(text.substr(0, kMaxCompared));
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

}  // namespace

std::size_t edit_distance(std::string_view a_text, std::string_view b_text) {
  const std::string a = folded(a_text), b = folded(b_text);
  // Rows i-2, i-1 and i of the distance matrix.
  std::array<std::array<std::size_t, kMaxCompared + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, substituted});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], rows[(i + 1) % 3][j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

std::vector<std::string> suggestions(std::string_view word, std::span<const std::string> candidates,
                                     std::size_t count) {
  const std::size_t limit = std::clamp<std::size_t>(word.size() / 3, 1, 4);
  const std::string folded_word = folded(word);
  std::vector<std::pair<std::size_t, std::size_t>> ranked;  // distance, index of the candidate
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const bool prefix = word.size() >= 3 && folded(candidates[i]).starts_with(folded_word);
    const std::size_t distance = edit_distance(word, candidates[i]);
    if (prefix || distance <= limit) ranked.emplace_back(prefix ? std::min<std::size_t>(distance, 1) : distance, i);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> result;
  for (std::size_t i = 0; i < std::min(count, ranked.size()); ++i) result.push_back(candidates[ranked[i].second]);
  return result;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::vector<std::string> near = suggestions(word, candidates);
  if (near.empty()) return "";
  std::string text = "; did you mean ";
  for (std::size_t i = 0; i < near.size(); ++i)
    text += fmt::format("{}'{}'", i == 0 ? "" : i + 1 == near.size() ? " or " : ", ", near[i]);
  return text + "?";
}

}  // namespace fovea
