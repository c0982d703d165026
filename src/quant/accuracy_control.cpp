#include "quant/accuracy_control.h"

#include <algorithm>

namespace fovea::quant {
namespace {

class Search {
 public:
  Search(const std::vector<LayerSensitivity>& ranking, const std::set<std::string>& keep_float, const MakeNetwork& make,
         const MeasureTop1& measure, const AccuracyControlOptions& options)
      : ranking_(ranking), keep_float_(keep_float), make_(make), measure_(measure), options_(options) {}

  Status run(double float_top1) {
    result.float_top1 = float_top1;
    int failed = -1, holds = 0;
    const int all = static_cast<int>(ranking_.size());
    FOVEA_TRY(bool good, attempt(0));
    while (!good) {
      failed = holds;
      if (holds == all) return {};  // nothing is left to fall back
      holds = std::min(all, std::max(1, holds * 2));
      FOVEA_TRY(good, attempt(holds));
    }
    while (holds - failed > 1) {
      const int middle = (failed + holds) / 2;
      FOVEA_TRY(good, attempt(middle));
      (good ? holds : failed) = middle;
    }
    return {};
  }

  AccuracyControlResult result;

 private:
  // Whether the drop holds with so many layers in floats; keeps the network if it does.
  Result<bool> attempt(int layers) {
    std::set<std::string> names = keep_float_;
    std::vector<std::string> kept;
    for (int i = 0; i < layers; ++i) kept.push_back(ranking_[static_cast<std::size_t>(i)].name);
    names.insert(kept.begin(), kept.end());
    if (options_.progress) options_.progress(fmt::format("{} of {} layers in floats", layers, ranking_.size()));
    FOVEA_TRY(QuantisedNetwork network, make_(names));
    FOVEA_TRY(const double top1,
              measure_(network.graph, network.tensors.empty() ? Form::kFallenBack : Form::kQuantised));
    result.tries.push_back({layers, top1});
    const bool good = result.float_top1 - top1 <= options_.max_drop + 1e-9;
    if (good || result.tries.size() == 1 || layers == static_cast<int>(ranking_.size())) {
      result.network = std::move(network);
      result.top1 = top1;
      result.kept_float = std::move(kept);
    }
    return good;
  }

  const std::vector<LayerSensitivity>& ranking_;
  const std::set<std::string>& keep_float_;
  const MakeNetwork& make_;
  const MeasureTop1& measure_;
  const AccuracyControlOptions& options_;
};

}  // namespace

Result<AccuracyControlResult> hold_accuracy(const Graph& graph, const std::vector<LayerSensitivity>& ranking,
                                            const std::set<std::string>& keep_float, const MakeNetwork& make,
                                            const MeasureTop1& measure, const AccuracyControlOptions& options) {
  Search search(ranking, keep_float, make, measure, options);
  if (options.progress) options.progress("the float network");
  FOVEA_TRY(const double float_top1, measure(graph, Form::kFloat));
  FOVEA_RETURN_IF_ERROR(search.run(float_top1));
  return std::move(search.result);
}

}  // namespace fovea::quant
