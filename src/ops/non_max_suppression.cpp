// NonMaxSuppression. Calculated in f32 throughout: whether a box survives is a comparison, and every implementation has
// to decide it alike (ONNX Runtime calculates in f32 too).
#include <algorithm>
#include <numeric>
#include <vector>

#include "ops/element_types.h"
#include "ops/integer_operand.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

struct Box {
  float y_low, x_low, y_high, x_high;
  float area() const { return (y_high - y_low) * (x_high - x_low); }
};

// Four numbers as two opposite corners (y1, x1, y2, x2), or as (x centre, y centre, width, height).
Box read_box(const float* v, bool by_center) {
  if (by_center) return {v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2};
  return {std::min(v[0], v[2]), std::min(v[1], v[3]), std::max(v[0], v[2]), std::max(v[1], v[3])};
}

bool overlap_too_much(const Box& a, const Box& b, float iou_threshold) {
  const float height = std::min(a.y_high, b.y_high) - std::max(a.y_low, b.y_low);
  const float width = std::min(a.x_high, b.x_high) - std::max(a.x_low, b.x_low);
  if (!(height > 0) || !(width > 0)) return false;
  const float both = height * width, either = a.area() + b.area() - both;
  return a.area() > 0 && b.area() > 0 && either > 0 && both / either > iou_threshold;
}

struct Options {
  std::int64_t max_boxes = 0;  // of each class; none are selected by default
  float iou_threshold = 0;
  std::optional<float> score_threshold;  // scores have to be above it
  bool by_center = false;
};

Result<Options> read_options(const EvalContext& context, const InferContext& checked) {
  Options options;
  if (context.has(2)) {
    FOVEA_TRY(const auto given, known_integer(checked, 2, "max_output_boxes_per_class"));
    options.max_boxes = *given;
  }
  if (context.has(3)) options.iou_threshold = context.input(3).as<float>()[0];
  if (!(options.iou_threshold >= 0 && options.iou_threshold <= 1))
    return bad_input("operand iou_threshold: expected a value from 0 to 1, found {}", options.iou_threshold);
  if (context.has(4)) options.score_threshold = context.input(4).as<float>()[0];
  FOVEA_TRY(const std::int64_t by_center, context.attributes().integer("center_point_box", 0));
  options.by_center = by_center == 1;
  return options;
}

// The boxes of one image that survive for one class, best first; among equal scores the lower index is first.
std::vector<std::int64_t> select_boxes(const std::vector<Box>& boxes, const float* scores, const Options& options) {
  std::vector<std::int64_t> candidates;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const bool is_number = scores[i] == scores[i];  // NaN has no place in the order
    if (is_number && (!options.score_threshold || scores[i] > *options.score_threshold))
      candidates.push_back(static_cast<std::int64_t>(i));
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](std::int64_t a, std::int64_t b) { return scores[a] > scores[b]; });
  std::vector<std::int64_t> selected;
  for (const std::int64_t candidate : candidates) {
    if (static_cast<std::int64_t>(selected.size()) >= options.max_boxes) break;
    const bool suppressed = std::any_of(selected.begin(), selected.end(), [&](std::int64_t i) {
      return overlap_too_much(boxes[static_cast<std::size_t>(candidate)], boxes[static_cast<std::size_t>(i)],
                              options.iou_threshold);
    });
    if (!suppressed) selected.push_back(candidate);
  }
  return selected;
}

}  // namespace

Status infer_non_max_suppression(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "boxes", kFloatTypes));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "scores", kFloatTypes));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 0, "boxes", 3, 3));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 1, "scores", 3, 3));
  const Shape& boxes = context.shape(0);
  const Shape& scores = context.shape(1);
  if (boxes.is_ranked() && scores.is_ranked() &&
      (!boxes[0].may_equal(scores[0]) || !boxes[1].may_equal(scores[2]) || !boxes[2].may_equal(Dim(4))))
    return bad_input("expected boxes [N,B,4] and scores [N,C,B], found {} and {}", boxes.text(), scores.text());
  if (context.has(2)) FOVEA_RETURN_IF_ERROR(known_integer(context, 2, "max_output_boxes_per_class"));
  constexpr const char* kThresholds[] = {"iou_threshold", "score_threshold"};
  for (int i = 3; i < 5; ++i) {
    if (!context.has(i)) continue;
    FOVEA_RETURN_IF_ERROR(expect_type(context, i, kThresholds[i - 3], kFloatTypes));
    if (const auto dims = context.shape(i).fixed(); dims && element_count(*dims) != 1)
      return bad_input("operand {}: expected one value, found {}", kThresholds[i - 3], context.type(i).text());
  }
  FOVEA_TRY(const std::int64_t center, context.attributes().integer("center_point_box", 0));
  if (center != 0 && center != 1) return bad_input("attribute center_point_box: expected 0 or 1, found {}", center);
  return add_output(context, DType::kS64, Shape{Dim(), Dim(3)});
}

Status evaluate_non_max_suppression(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_non_max_suppression));
  std::vector<Tensor> narrowed;  // f64 operands, as f32
  narrowed.reserve(static_cast<std::size_t>(context.input_count()));
  std::vector<const Tensor*> inputs;
  for (int i = 0; i < context.input_count(); ++i) {
    inputs.push_back(context.has(i) ? &context.input(i) : nullptr);
    if (inputs.back() && inputs.back()->dtype() == DType::kF64)
      inputs.back() = &narrowed.emplace_back(context.input(i).cast(DType::kF32));
  }
  FOVEA_TRY(const Options options, read_options(EvalContext(context.node(), inputs), checked));
  const std::int64_t images = inputs[1]->dim(0), classes = inputs[1]->dim(1), count = inputs[1]->dim(2);
  const float* boxes = inputs[0]->as<float>().data();
  const float* scores = inputs[1]->as<float>().data();
  std::vector<std::int64_t> selected;
  for (std::int64_t n = 0; n < images && inputs[1]->count() > 0; ++n) {
    std::vector<Box> image_boxes;
    for (std::int64_t i = 0; i < count; ++i)
      image_boxes.push_back(read_box(boxes + (n * count + i) * 4, options.by_center));
    for (std::int64_t c = 0; c < classes; ++c)
      for (const std::int64_t box : select_boxes(image_boxes, scores + (n * classes + c) * count, options))
        selected.insert(selected.end(), {n, c, box});
  }
  context.outputs.push_back(Tensor::of<std::int64_t>({static_cast<std::int64_t>(selected.size() / 3), 3}, selected));
  return {};
}

}  // namespace fovea::ops
