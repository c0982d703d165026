#include "cli/quantize_record.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "cli/table.h"

namespace fovea::cli {
namespace {

using Json = nlohmann::json;

Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json tensors_json(const QuantizeResult& r) {
  Json out = Json::array();
  for (const quant::TensorRecord& t : r.network.tensors)
    out.push_back({{"name", t.name},
                   {"group", t.group},
                   {"low", t.range.low},
                   {"high", t.range.high},
                   {"scale", t.parameters.scale},
                   {"zero_point", t.parameters.zero_point}});
  return out;
}

Json layers_json(const QuantizeResult& r) {
  Json out = Json::array();
  for (const quant::LayerRecord& l : r.network.layers)
    out.push_back({{"name", l.name},
                   {"op", l.op},
                   {"weight_sqnr_db", finite_or_null(l.weight_sqnr_db)},
                   {"empty_filters", l.empty},
                   {"float_bias", l.float_bias}});
  return out;
}

Json rounding_json(const quant::Rounding& rounding) {
  Json layers = Json::array();
  for (const quant::RoundedLayer& l : rounding.layers)
    layers.push_back({{"name", l.name},
                      {"rounding", l.adopted ? "adaptive" : "nearest"},
                      {"nearest_sqnr_db", finite_or_null(l.nearest_sqnr_db)},
                      {"adaptive_sqnr_db", finite_or_null(l.adaptive_sqnr_db)},
                      {"weights", l.weights},
                      {"changed", l.changed}});
  return {{"images", rounding.images}, {"resumed_layers", rounding.resumed_layers}, {"layers", layers}};
}

std::string rounding_text(const quant::Rounding& rounding) {
  double gain_db = 0;
  int adopted = 0;
  for (const quant::RoundedLayer& l : rounding.layers) {
    if (!l.adopted || !std::isfinite(l.adaptive_sqnr_db)) continue;
    ++adopted;
    gain_db += l.adaptive_sqnr_db - l.nearest_sqnr_db;
  }
  std::string text = fmt::format("weights of {} of {} layers rounded adaptively", adopted, rounding.layers.size());
  if (adopted > 0) text += fmt::format(", their results {:.1f} dB closer on average", gain_db / adopted);
  if (rounding.resumed_layers > 0) text += fmt::format(" ({} before the interruption)", rounding.resumed_layers);
  return text + "\n";
}

bool is_kept(const QuantizeResult& r, const std::string& name) {
  return std::find(r.kept_float.begin(), r.kept_float.end(), name) != r.kept_float.end();
}

std::string summary(const QuantizeResult& r) {
  std::string text = fmt::format("{} layers and {} tensors in 8 bits; ranges by {}", r.network.layers.size(),
                                 r.network.tensors.size(), r.method);
  if (r.images > 0) text += fmt::format(" from {} image{}", r.images, r.images == 1 ? "" : "s");
  if (r.resumed_at > 0) text += fmt::format(" ({} of them before the interruption)", r.resumed_at);
  text += "\n";
  if (r.failed > 0) text += fmt::format("{} image(s) could not be read and are not counted\n", r.failed);
  if (r.equalised_pairs > 0) text += fmt::format("{} pairs of layers equalised\n", r.equalised_pairs);
  if (!r.rounding.layers.empty()) text += rounding_text(r.rounding);
  if (r.bias_corrected) text += "biases corrected\n";
  return text;
}

std::string notes(const QuantizeResult& r) {
  std::string text;
  for (const quant::TensorRecord& t : r.network.tensors)
    if (t.range.low == 0 && t.range.high == 0)
      text += fmt::format("tensor {} was zero on every image: scale 1\n", t.name);
  for (const quant::LayerRecord& l : r.network.layers) {
    if (!l.empty.empty()) text += fmt::format("layer {}: {} filter(s) without weights\n", l.name, l.empty.size());
    if (l.float_bias) text += fmt::format("layer {}: its bias does not fit 32 bits and stays in floats\n", l.name);
  }
  return text;
}

}  // namespace

Json to_json(const QuantizeResult& r) {
  Json out = {{"method", r.method},
              {"images", r.images},
              {"failed", r.failed},
              {"resumed_at", r.resumed_at},
              {"equalised_pairs", r.equalised_pairs},
              {"bias_corrected", r.bias_corrected},
              {"kept_float", r.kept_float},
              {"fallback", r.fallback},
              {"tensors", tensors_json(r)},
              {"layers", layers_json(r)}};
  if (!r.rounding.layers.empty()) out["rounding"] = rounding_json(r.rounding);
  if (r.top1 < 0) return out;
  Json ranking = Json::array(), tries = Json::array();
  for (const quant::LayerSensitivity& l : r.ranking)
    ranking.push_back({{"name", l.name}, {"sqnr_db", finite_or_null(l.sqnr_db)}, {"kept_float", is_kept(r, l.name)}});
  for (const auto& t : r.tries) tries.push_back({{"layers_in_float", t.layers_in_float}, {"top1", t.top1}});
  out["accuracy"] = {{"float_top1", r.float_top1}, {"top1", r.top1}, {"tries", tries}, {"sensitivity", ranking}};
  return out;
}

std::string to_text(const QuantizeResult& r) {
  std::string text = summary(r) + notes(r);
  if (r.top1 < 0) return text;
  Table tries({fmt::format(">layers in {}", r.fallback), ">top-1 %", ">drop"});
  for (const auto& t : r.tries)
    tries.row({std::to_string(t.layers_in_float), fmt::format("{:.2f}", t.top1),
               fmt::format("{:.2f}", r.float_top1 - t.top1)});
  Table layers({"most sensitive layers", ">SQNR dB alone", "now in"});
  for (std::size_t i = 0; i < r.ranking.size() && (i < 10 || is_kept(r, r.ranking[i].name)); ++i)
    layers.row({r.ranking[i].name, fmt::format("{:.1f}", r.ranking[i].sqnr_db),
                is_kept(r, r.ranking[i].name) ? r.fallback : "8 bits"});
  return text + fmt::format("float top-1 {:.2f} %, now {:.2f} %\n", r.float_top1, r.top1) + tries.text() +
         layers.text();
}

}  // namespace fovea::cli
