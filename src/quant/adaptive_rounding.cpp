#include "quant/adaptive_rounding.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/sha256.h"
#include "quant/calibrator_state.h"
#include "quant/layer_samples.h"
#include "quant/product_filters.h"
#include "quant/round_filter.h"
#include "quant/rounding_state.h"
#include "quant/sqnr.h"
#include "quant/state_file.h"

namespace fovea::quant {
namespace {

constexpr int kStateVersion = 1;
constexpr std::int64_t kSaveInterval_ns = 10'000'000'000;
constexpr std::int64_t kFiltersAtOnce = 8;   // of each thread, between two looks at `stop`
constexpr std::int64_t kSamplingShare = 20;  // of a layer's work that taking its samples counts as: weights by it

// One layer's filters, wherever their weights lie, and what they are to reproduce.
class LayerProblem {
 public:
  LayerProblem(const Graph& graph, const Placement::Product& product, const ProductGeometry& geometry,
               const ProductFilters& stored, const LayerSampleSet& samples)
      : product_(product), geometry_(geometry), stored_(stored), samples_(samples) {
    const auto weights = graph.value(graph.node(product.node).inputs[1]).constant->as<float>();
    steps_.resize(static_cast<std::size_t>(geometry.filters * geometry.inner));
    for (std::int64_t f = 0; f < geometry.filters; ++f)
      for (std::int64_t k = 0; k < geometry.inner; ++k)
        steps_[static_cast<std::size_t>(f * geometry.inner + k)] = weights[place(f, k)] / scale(f);
  }

  // Where the weight k of a filter lies in the tensor of weights.
  std::size_t place(std::int64_t filter, std::int64_t k) const {
    return static_cast<std::size_t>(product_.filter_axis == 0 ? filter * geometry_.inner + k
                                                              : k * geometry_.filters + filter);
  }
  float scale(std::int64_t filter) const {
    const auto& scales = stored_.weights.scale;
    return scales[scales.size() == 1 ? 0 : static_cast<std::size_t>(filter)];
  }
  FilterProblem fit(std::int64_t filter) const { return problem(filter, samples_.fit); }
  // Of the images for checking, of those for fitting if there are none.
  FilterProblem check(std::int64_t filter) const {
    return problem(filter, samples_.check.rows ? samples_.check : samples_.fit);
  }

 private:
  FilterProblem problem(std::int64_t filter, const LayerSamples& s) const {
    const auto rows = static_cast<std::size_t>(s.rows), inner = static_cast<std::size_t>(geometry_.inner);
    const auto group = static_cast<std::size_t>(filter / geometry_.filters_per_group());
    const auto f = static_cast<std::size_t>(filter);
    return {std::span(s.x).subspan(group * rows * inner, rows * inner),
            std::span(s.target).subspan(f * rows, rows),
            std::span(steps_).subspan(f * inner, inner),
            scale(filter),
            static_cast<float>(stored_.bias[f]),
            geometry_.activation};
  }

  const Placement::Product& product_;
  const ProductGeometry& geometry_;
  const ProductFilters& stored_;
  const LayerSampleSet& samples_;
  std::vector<float> steps_;  // [filters][inner]
};

// What became of one filter.
struct FilterResult {
  std::vector<std::int8_t> stored;
  double nearest_error = 0, adaptive_error = 0, signal = 0;
};

FilterResult solve(const LayerProblem& layer, std::int64_t filter, const RoundFilterOptions& options) {
  FilterResult out;
  out.stored = round_filter(layer.fit(filter), options);
  const FilterProblem check = layer.check(filter);
  out.nearest_error = reconstruction_error(check, nearest(check.steps));
  out.adaptive_error = reconstruction_error(check, out.stored);
  for (const float y : check.target) {
    const double signal = static_cast<double>(apply_activation(check.activation, y));
    out.signal += signal * signal / static_cast<double>(check.rows());
  }
  return out;
}

class Run {
 public:
  Run(const Graph& graph, const Placement& placement, const std::vector<Range>& ranges, const QuantiseOptions& options,
      const RoundingOptions& how)
      : graph_(graph),
        placement_(placement),
        ranges_(ranges),
        options_(options),
        how_(how),
        pool_(ThreadPoolOptions{how.pass.engine.threads, true, {}, 0}),
        last_save_ns_(now_ns()) {
    for (const auto& product : placement.products) total_ += work_of(product);
    for (const Range& range : ranges) identity_ += fmt::format("{} {}\n", range.low, range.high);
    identity_ += fmt::format("{}\n{} {} {} {} {} {}", how.identity, activation_type_name(options.activations),
                             options.weights.per_channel, options.weights.clip, options.weights.full_range,
                             how.iterations, how.seed);
    identity_ = sha256_hex(std::as_bytes(std::span(identity_)));
  }

  Status read_images(SampleSource& samples) {
    FOVEA_RETURN_IF_ERROR(samples.restart(0));
    for (;;) {
      if (stopped()) return interrupted();
      FOVEA_TRY(const Sample* sample, samples.next());
      if (!sample) break;
      Tensor image(sample->data.dtype, {sample->data.dims.begin(), sample->data.dims.end()}, sample->data.layout);
      std::memcpy(image.raw(), sample->data.data, image.bytes());
      images_.push_back(std::move(image));
    }
    if (images_.empty()) return bad_input("no image to round weights with could be read");
    result.images = std::ssize(images_);
    return {};
  }

  void resume() {
    if (how_.state_file.empty()) return;
    auto state = read_state(how_.state_file);
    if (state.ok() && !*state) return;
    const Status taken = state.ok() ? take(**state) : Status(state.error());
    if (taken.ok()) return;
    result.notice = fmt::format("{}: {}; rounding anew", how_.state_file.string(), taken.error().text());
    layers_.clear();
    result.layers.clear();
    result.filters.clear();
    result.resumed_layers = 0;
    done_ = 0;
  }

  Status round_layers() {
    for (std::size_t i = result.layers.size(); i < placement_.products.size(); ++i) {
      auto status = round(i);
      if (!status.ok() && status.error().code() == ErrorCode::kInterrupted) return interrupted();
      if (!status.ok()) return std::move(status).error().within("node " + node_name(placement_.products[i]));
      if (now_ns() - last_save_ns_ > kSaveInterval_ns) FOVEA_RETURN_IF_ERROR(save());
    }
    return save();
  }

  Rounding result;

 private:
  const std::string& node_name(const Placement::Product& product) const { return graph_.node(product.node).name; }
  std::int64_t weights_of(const Placement::Product& product) const {
    return graph_.value(graph_.node(product.node).inputs[1]).constant->count();
  }
  std::int64_t work_of(const Placement::Product& product) const {
    return weights_of(product) + kSamplingShare * std::int64_t{1000};
  }
  bool stopped() const { return how_.pass.stop && how_.pass.stop->load(); }
  void show(std::int64_t more) const {
    if (how_.pass.progress) how_.pass.progress((done_ + more) / 1000, total_ / 1000);
  }

  Result<ProductFilters> plain_filters(const Placement::Product& product) const {
    const Range range = ranges_[static_cast<std::size_t>(placement_.find(product.x)->group)];
    return quantise_filters(graph_, product, activation_parameters(range, options_.activations).scale, options_,
                            nullptr);
  }

  // The network in which the layers before this one are in 8 bits, as rounded so far.
  Result<Graph> network_before(std::size_t product) const {
    Placement before = placement_;
    before.products.resize(product);
    QuantiseOptions options = options_;
    options.rounded = std::make_shared<RoundedFilters>(result.filters);
    FOVEA_TRY(QuantisedNetwork network, quantise(graph_, before, ranges_, options));
    return std::move(network.graph);
  }

  Status round(std::size_t index) {
    const Placement::Product& product = placement_.products[index];
    FOVEA_TRY(const Graph before, network_before(index));
    FOVEA_TRY(const LayerSampleSet samples,
              sample_layer(graph_, before, product, images_, how_.pass.engine, how_.seed + index, how_.pass.stop));
    FOVEA_TRY(const ProductGeometry geometry, geometry_of(graph_, product));
    FOVEA_TRY(ProductFilters stored, plain_filters(product));
    const LayerProblem layer(graph_, product, geometry, stored, samples);
    RoundedLayer record{node_name(product)};
    record.weights = geometry.filters * geometry.inner;
    std::vector<FilterResult> filters(static_cast<std::size_t>(geometry.filters));
    const std::int64_t chunk = kFiltersAtOnce * pool_.threads();
    for (std::int64_t begin = 0; begin < geometry.filters; begin += chunk) {
      if (stopped()) return interrupted();
      const std::int64_t end = std::min(geometry.filters, begin + chunk);
      pool_.run(static_cast<int>(end - begin), [&](int part) {
        const std::int64_t f = begin + part;
        filters[static_cast<std::size_t>(f)] = solve(layer, f, {how_.iterations, how_.seed});
      });
      show(end * geometry.inner);
    }
    adopt(product, layer, filters, stored.weights, record);
    done_ += work_of(product);
    return {};
  }

  void adopt(const Placement::Product& product, const LayerProblem& layer, const std::vector<FilterResult>& filters,
             QuantisedFilters& weights, RoundedLayer& record) {
    double plain = 0, adaptive = 0, signal = 0;
    for (const FilterResult& f : filters) {
      plain += f.nearest_error;
      adaptive += f.adaptive_error;
      signal += f.signal;
    }
    record.nearest_sqnr_db = sqnr_db(signal, plain);
    record.adaptive_sqnr_db = sqnr_db(signal, adaptive);
    record.adopted = adaptive < plain;
    std::vector<bool> up;
    if (record.adopted) {
      up.resize(static_cast<std::size_t>(record.weights));
      for (std::size_t f = 0; f < filters.size(); ++f)
        for (std::size_t k = 0; k < filters[f].stored.size(); ++k) {
          const std::size_t at = layer.place(static_cast<std::int64_t>(f), static_cast<std::int64_t>(k));
          up[at] = filters[f].stored[k] > lower_step(product, weights, at);
        }
    }
    take_layer(product, std::move(record), up, weights);
  }

  // The lower of the two steps that a weight may be stored as.
  int lower_step(const Placement::Product& product, const QuantisedFilters& weights, std::size_t at) const {
    const auto floats = graph_.value(graph_.node(product.node).inputs[1]).constant->as<float>();
    const std::size_t inner = floats.size() / static_cast<std::size_t>(product.filters);
    const std::size_t filter = product.filter_axis == 0 ? at / inner : at % static_cast<std::size_t>(product.filters);
    const float scale = weights.scale[weights.scale.size() == 1 ? 0 : filter];
    return static_cast<int>(std::clamp(std::floor(floats[at] / scale), -127.0f, 127.0f));
  }

  // A layer is done: by computing or from the state.
  void take_layer(const Placement::Product& product, RoundedLayer record, const std::vector<bool>& up,
                  QuantisedFilters& weights) {
    if (record.adopted) {
      auto s8 = weights.s8.as<std::int8_t>();
      const auto floats = graph_.value(graph_.node(product.node).inputs[1]).constant->as<float>();
      const std::size_t inner = s8.size() / static_cast<std::size_t>(product.filters);
      record.changed = 0;
      weights.error_power = 0;
      for (std::size_t i = 0; i < s8.size(); ++i) {
        const auto stored = static_cast<std::int8_t>(std::min(127, lower_step(product, weights, i) + (up[i] ? 1 : 0)));
        record.changed += stored != s8[i];
        s8[i] = stored;
        const std::size_t filter = product.filter_axis == 0 ? i / inner : i % static_cast<std::size_t>(product.filters);
        const float scale = weights.scale[weights.scale.size() == 1 ? 0 : filter];
        const double off = static_cast<double>(floats[i]) - static_cast<double>(stored) * static_cast<double>(scale);
        weights.error_power += off * off;
      }
      result.filters[product.node] = std::move(weights);
    }
    layers_.push_back(to_json(record, up));
    result.layers.push_back(std::move(record));
  }

  Status take(const nlohmann::json& state) {
    FOVEA_TRY(const std::int64_t version, read_count(state, "version"));
    FOVEA_TRY(const std::string identity, read_text(state, "identity"));
    if (version != kStateVersion || identity != identity_)
      return bad_input("it is the state of a rounding of another model, with other images or other options");
    const auto layers = state.find("layers");
    if (layers == state.end() || !layers->is_array() || layers->size() > placement_.products.size())
      return bad_input("it has no list of layers");
    for (std::size_t i = 0; i < layers->size(); ++i) {
      const Placement::Product& product = placement_.products[i];
      FOVEA_TRY(RestoredLayer restored, restore_layer((*layers)[i]));
      if (restored.layer.name != node_name(product) || restored.layer.weights != weights_of(product))
        return bad_input("layer {} is {}, expected {}", i, restored.layer.name, node_name(product));
      FOVEA_TRY(ProductFilters stored, plain_filters(product));
      take_layer(product, std::move(restored.layer), restored.up, stored.weights);
      done_ += work_of(product);
    }
    result.resumed_layers = static_cast<int>(layers->size());
    return {};
  }

  Status save() {
    if (how_.state_file.empty() || layers_.empty()) return {};
    last_save_ns_ = now_ns();
    return write_state(how_.state_file, {{"version", kStateVersion}, {"identity", identity_}, {"layers", layers_}});
  }

  Status interrupted() {
    FOVEA_RETURN_IF_ERROR(save());
    const std::string kept =
        how_.state_file.empty() || layers_.empty() ? "" : "; the same command goes on from " + how_.state_file.string();
    return Error(ErrorCode::kInterrupted, fmt::format("interrupted after rounding {} of {} layers{}",
                                                      result.layers.size(), placement_.products.size(), kept));
  }

  const Graph& graph_;
  const Placement& placement_;
  const std::vector<Range>& ranges_;
  const QuantiseOptions& options_;
  const RoundingOptions& how_;
  ThreadPool pool_;
  std::string identity_;
  std::vector<Tensor> images_;
  nlohmann::json layers_ = nlohmann::json::array();  // of the state
  std::int64_t last_save_ns_;
  std::int64_t done_ = 0, total_ = 0;
};

}  // namespace

Result<Rounding> adapt_rounding(const Graph& graph, const Placement& placement, const std::vector<Range>& ranges,
                                const QuantiseOptions& options, SampleSource& samples, const RoundingOptions& how) {
  if (how.iterations < 1) return make_error(ErrorCode::kUsage, "{} iterations: expected at least 1", how.iterations);
  Run run(graph, placement, ranges, options, how);
  run.resume();
  FOVEA_RETURN_IF_ERROR(run.read_images(samples));
  FOVEA_RETURN_IF_ERROR(run.round_layers());
  return std::move(run.result);
}

}  // namespace fovea::quant
