#include "quant/tensorrt_cache.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "data/text_lines.h"

namespace fovea::quant {
namespace {

constexpr std::size_t kMaxBytes = 64u << 20;

Result<float> parse_scale(std::string_view hex) {
  std::uint32_t bits = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), bits, 16);
  if (hex.size() > 8 || error != std::errc() || end != hex.data() + hex.size())
    return bad_input("expected a float's bits as at most 8 hex digits, found '{}'", hex);
  const auto scale = std::bit_cast<float>(bits);
  if (!std::isfinite(scale) || scale < 0)
    return bad_input("expected a scale that is finite and not negative, found {} ({})", hex, scale);
  return scale;
}

// "0 3ff0000000000000 3fefffb8b26394fb"
bool is_legacy_settings(std::string_view line) {
  return std::count(line.begin(), line.end(), ' ') == 2 &&
         line.find_first_not_of("0123456789abcdefABCDEF ") == std::string_view::npos;
}

Status take_line(std::string_view line, TensorRtCache& cache) {
  const auto colon = line.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad_input("expected 'tensor: scale', found '{}'", line);
  FOVEA_TRY(const float scale, parse_scale(trim(line.substr(colon + 1))));
  const auto [place, is_new] = cache.scales.emplace(std::string(trim(line.substr(0, colon))), scale);
  if (!is_new && place->second != scale)
    return bad_input("tensor '{}' has two scales, {} and {}", place->first, place->second, scale);
  return {};
}

}  // namespace

Result<TensorRtCache> parse_tensorrt_cache(std::string_view text) {
  const auto lines = split_lines(text);
  TensorRtCache cache;
  if (lines.empty() || !lines[0].starts_with("TRT-"))
    return bad_input("line 1: expected 'TRT-<version>-<calibrator>', found '{}'",
                     lines.empty() ? std::string_view() : lines[0].substr(0, 80));
  cache.header = std::string(lines[0]);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty() || (i == 1 && is_legacy_settings(lines[i]))) continue;
    auto status = take_line(lines[i], cache);
    if (!status.ok()) return std::move(status).error().within(fmt::format("line {}", i + 1));
  }
  if (cache.scales.empty()) return bad_input("no line 'tensor: scale' in it");
  return cache;
}

Result<TensorRtCache> read_tensorrt_cache(const std::filesystem::path& path) {
  FOVEA_TRY(const std::string text, read_text_file(path, kMaxBytes));
  auto cache = parse_tensorrt_cache(text);
  if (!cache.ok()) return std::move(cache).error().within("calibration cache " + path.string());
  return cache;
}

std::string to_text(const TensorRtCache& cache) {
  std::string text = cache.header + "\n";
  for (const auto& [name, scale] : cache.scales)
    text += fmt::format("{}: {:x}\n", name, std::bit_cast<std::uint32_t>(scale));
  return text;
}

Result<std::map<std::string, Range>> ranges_for(const Graph& graph, const Placement& placement,
                                                const std::map<std::string, std::string>& original_names,
                                                const TensorRtCache& cache) {
  std::map<std::string, Range> out;
  for (const Placement::Tensor& t : placement.tensors) {
    const std::string& name = graph.value(t.value).name;
    auto found = cache.scales.find(name);
    if (const auto original = original_names.find(name);
        found == cache.scales.end() && original != original_names.end())
      found = cache.scales.find(original->second);
    if (found == cache.scales.end()) continue;
    if (found->second == 0) return bad_input("the calibration cache has scale 0 for tensor {}", found->first);
    out[name] = {-127 * found->second, 127 * found->second};
  }
  return out;
}

TensorRtCache cache_of(const std::map<std::string, Range>& ranges,
                       const std::map<std::string, std::string>& original_names, std::string header) {
  TensorRtCache cache{std::move(header), {}};
  for (const auto& [name, range] : ranges) {
    const auto original = original_names.find(name);
    cache.scales[original == original_names.end() ? name : original->second] =
        std::max(std::abs(range.low), std::abs(range.high)) / 127;
  }
  return cache;
}

}  // namespace fovea::quant
