// quantize_linear, dequantize_linear: f32 to u8 or s8 and back, one scale for all or one a channel, by exact ONNX
// rules. Quantising a row-major image of few channels to u8 makes it channels-last in the same pass.
#include <algorithm>
#include <cmath>

#include "backends/cpu/image_ranges.h"
#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/convert/convert.h"
#include "kernels/quantize_u8/quantize_u8.h"

namespace fovea::cpu {
namespace {

bool is_8_bit(DType dtype) { return dtype == DType::kU8 || dtype == DType::kS8; }

// How scale and zero point are addressed: one value, or one a channel where the axis is 1 (or the innermost of rank 2).
std::optional<kernels::Broadcast> scale_broadcast(const TacticQuery& query) {
  const Dims dims = query.input_dims(0);
  const Tensor& scale = *query.constant(1);
  if (scale.count() == 1) return kernels::Broadcast{kernels::Operand::kScalar};
  const auto axis = AttributeReader(query.node).integer("axis", 1);
  if (!axis.ok() || scale.rank() != 1) return std::nullopt;
  const std::int64_t a = *axis < 0 ? *axis + static_cast<std::int64_t>(dims.size()) : *axis;
  if (a != 1 || dims.size() < 2 || scale.count() != dims[1]) return std::nullopt;
  Dims channel_dims(dims.size(), 1);
  channel_dims[1] = dims[1];
  return broadcast_of(channel_dims, dims, query.output().layout);
}

Verdict check(const TacticQuery& query, DType bytes) {
  if (!is_8_bit(bytes)) return Verdict::no("{}, kernels are for u8 and s8", dtype_name(bytes));
  if (!query.constant(1) || (query.has(2) && !query.constant(2)))
    return Verdict::no("scale or zero point is not constant");
  if (query.constant(1)->dtype() != DType::kF32) return Verdict::no("scale is not f32");
  if (element_count(query.output_dims()) == 0) return Verdict::no("empty result");
  for (float s : query.constant(1)->to_floats())
    if (!(std::isnormal(s) && s > 0)) return Verdict::no("scale {} is no positive normal number", s);
  return scale_broadcast(query) ? Verdict::yes() : Verdict::no("scales along another axis than the channels");
}

// What both directions hold: scales and zero points as floats.
struct Parameters {
  explicit Parameters(const TacticQuery& query)
      : count(element_count(query.output_dims())),
        broadcast(*scale_broadcast(query)),
        scale(query.constant(1)->to_floats()),
        zero_point(query.constant(2) ? query.constant(2)->to_floats() : std::vector<float>(scale.size(), 0.0f)) {}
  std::int64_t count;
  kernels::Broadcast broadcast;
  std::vector<float> scale, zero_point;
};

// u8 with one scale for all: the kernels that need not divide.
bool is_plain_u8(const TacticQuery& query) {
  return query.output().type.dtype == DType::kU8 && query.constant(1)->count() == 1 &&
         query.constant(1)->to_floats()[0] <= kernels::kMaxQuantizerScale;
}

// Whether the result is channels-last, but the operand is not and has few enough channels to be turned on the way.
bool interleaves(const TacticQuery& query) {
  const Dims dims = query.output_dims();
  return is_plain_u8(query) && dims.size() >= 3 && dims[1] <= kernels::kMaxInterleavedChannels &&
         query.input(0).layout == Layout::kRowMajor && query.output().layout == Layout::kChannelsLast;
}

class QuantizeU8Step : public Step {
 public:
  QuantizeU8Step(const TacticQuery& query, bool interleaves)
      : kernels_(kernels::select_quantize_u8(query.cpu)), interleaves_(interleaves) {
    const Dims dims = query.output_dims();
    const int zero_point = query.constant(2) ? static_cast<int>(query.constant(2)->to_int64s()[0]) : 0;
    image_.quantizer = kernels::quantizer_u8(query.constant(1)->to_floats()[0], zero_point);
    count_ = element_count(dims);
    if (!interleaves) return;
    image_.channels = static_cast<int>(dims[1]);
    image_.pixels = element_count(Dims(dims.begin() + 2, dims.end()));
  }
  void run(const StepContext& context) const override {
    const auto* x = static_cast<const float*>(context.inputs[0]);
    auto* y = static_cast<std::uint8_t*>(context.outputs[0]);
    if (!interleaves_) {
      context.pool.split(count_, kByteGrain, [&](std::int64_t begin, std::int64_t end) {
        kernels_.quantize(image_.quantizer, x, y, begin, end);
      });
      return;
    }
    const std::int64_t pixels = image_.pixels, channels = image_.channels;
    context.pool.split(count_ / channels, kByteGrain / channels, [&](std::int64_t begin, std::int64_t end) {
      each_image_range(begin, end, pixels, [&](std::int64_t image, std::int64_t first, std::int64_t last) {
        kernels::InterleaveU8Args args = image_;
        args.x = x + image * pixels * channels;
        args.y = y + image * pixels * channels;
        kernels_.interleave(args, first, last);
      });
    });
  }

 private:
  kernels::QuantizeU8Kernels kernels_;
  bool interleaves_;
  kernels::InterleaveU8Args image_;  // of one image, without its addresses
  std::int64_t count_ = 0;
};

// Any other form, by division.
class QuantizeStep : public Step {
 public:
  explicit QuantizeStep(const TacticQuery& query) : p_(query) {
    const auto& kernels = kernels::select_convert(query.cpu);
    run_ = query.output().type.dtype == DType::kU8 ? kernels.quantize_u8 : kernels.quantize_s8;
  }
  void run(const StepContext& context) const override {
    const kernels::QuantizeArgs args{p_.broadcast, static_cast<const float*>(context.inputs[0]), p_.scale.data(),
                                     p_.zero_point.data(), context.outputs[0]};
    context.pool.split(p_.count, kEltwiseGrain, [&](std::int64_t begin, std::int64_t end) { run_(args, begin, end); });
  }

 private:
  Parameters p_;
  void (*run_)(const kernels::QuantizeArgs&, std::int64_t, std::int64_t);
};

class DequantizeStep : public Step {
 public:
  explicit DequantizeStep(const TacticQuery& query) : p_(query) {
    const auto& kernels = kernels::select_convert(query.cpu);
    run_ = query.input(0).type.dtype == DType::kU8 ? kernels.dequantize_u8 : kernels.dequantize_s8;
  }
  void run(const StepContext& context) const override {
    const kernels::DequantizeArgs args{p_.broadcast, context.inputs[0], p_.scale.data(), p_.zero_point.data(),
                                       static_cast<float*>(context.outputs[0])};
    context.pool.split(p_.count, kEltwiseGrain, [&](std::int64_t begin, std::int64_t end) { run_(args, begin, end); });
  }

 private:
  Parameters p_;
  void (*run_)(const kernels::DequantizeArgs&, std::int64_t, std::int64_t);
};

}  // namespace

Verdict quantize_linear::applies(const TacticQuery& query) {
  if (query.input(0).type.dtype != DType::kF32)
    return Verdict::no("input is {}", dtype_name(query.input(0).type.dtype));
  return check(query, query.output().type.dtype);
}
TacticLayouts quantize_linear::layouts(const TacticQuery& query) {
  TacticLayouts layouts = uniform_layouts(query, query.output().layout);
  if (interleaves(query)) layouts.inputs[0] = Layout::kRowMajor;
  return layouts;
}
double quantize_linear::cost_us(const TacticQuery& query) {
  return estimate_us(query, 1, is_plain_u8(query) ? 60 : 40, 0.5);
}
Result<std::unique_ptr<Step>> quantize_linear::build(const TacticQuery& query) {
  if (is_plain_u8(query)) return std::unique_ptr<Step>(std::make_unique<QuantizeU8Step>(query, interleaves(query)));
  return std::unique_ptr<Step>(std::make_unique<QuantizeStep>(query));
}

Verdict dequantize_linear::applies(const TacticQuery& query) {
  if (query.output().type.dtype != DType::kF32)
    return Verdict::no("result is {}", dtype_name(query.output().type.dtype));
  return check(query, query.input(0).type.dtype);
}
TacticLayouts dequantize_linear::layouts(const TacticQuery& query) {
  return uniform_layouts(query, query.output().layout);
}
double dequantize_linear::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 50, 0.5); }
Result<std::unique_ptr<Step>> dequantize_linear::build(const TacticQuery& query) {
  return std::unique_ptr<Step>(std::make_unique<DequantizeStep>(query));
}

}  // namespace fovea::cpu
