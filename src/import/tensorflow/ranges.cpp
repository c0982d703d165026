#include "import/tensorflow/ranges.h"

#include <algorithm>
#include <cmath>

#include "import/wire/names.h"
#include "ops/evaluate.h"

namespace fovea::tensorflow_import {
namespace {

Status check_range(const Range& range) {
  if (std::isfinite(range.min) && std::isfinite(range.max) && range.min <= range.max) return {};
  return bad_input("expected a range from low to high, found {} to {}", range.min, range.max);
}

Status check_bytes(DType dtype) {
  if (dtype == DType::kU8 || dtype == DType::kS8) return {};
  return unsupported("quantised elements of {}: only 8-bit ones", dtype_name(dtype));
}

double lowest(DType dtype) { return dtype == DType::kS8 ? -128 : 0; }

float scale_of(double scale) {
  // An empty range stands for zeros only; the scale must still be one that can be divided by.
  return scale > 1e-30 ? static_cast<float>(scale) : 0x1p-40f;
}

Quantised per_tensor(DType dtype, double scale, double zero) {
  return {dtype, {scale_of(scale)}, {static_cast<std::int32_t>(zero)}, 0};
}

}  // namespace

Result<Quantised> scaled(DType dtype, const Range& range) {
  FOVEA_RETURN_IF_ERROR(check_range(range));
  FOVEA_RETURN_IF_ERROR(check_bytes(dtype));
  const double most = std::max(std::fabs(range.min), std::fabs(range.max));
  return per_tensor(dtype, most / (dtype == DType::kS8 ? 127.0 : 255.0), 0);
}

Result<Quantised> min_first(DType dtype, const Range& range) {
  FOVEA_RETURN_IF_ERROR(check_range(range));
  FOVEA_RETURN_IF_ERROR(check_bytes(dtype));
  const double scale = scale_of((double{range.max} - range.min) / 255.0);
  const double zero = lowest(dtype) - std::round(range.min / scale);
  if (zero < lowest(dtype) || zero > lowest(dtype) + 255)
    return unsupported("the range {} to {} does not hold 0", range.min, range.max);
  return per_tensor(dtype, scale, zero);
}

Result<Quantised> min_combined(DType dtype, const Range& range) {
  FOVEA_TRY(Quantised q, min_first(dtype, range));
  const double exact = lowest(dtype) - range.min / q.scale[0];
  if (std::fabs(exact - q.zero_point[0]) > 1e-3)
    return unsupported("mode MIN_COMBINED with range {} to {}: 0 is not one of its 256 numbers", range.min, range.max);
  return q;
}

Result<Quantised> by_mode(const std::string& mode, DType dtype, const Range& range) {
  if (mode == "SCALED") return scaled(dtype, range);
  if (mode == "MIN_FIRST") return min_first(dtype, range);
  if (mode == "MIN_COMBINED") return min_combined(dtype, range);
  return bad_input("attribute mode: expected SCALED, MIN_FIRST or MIN_COMBINED, found '{}'", wire::shown(mode));
}

Result<Quantised> operand_parameters(DType dtype, const Range& range) {
  return dtype == DType::kU8 && range.min < 0 ? min_first(dtype, range) : scaled(dtype, range);
}

Result<Quantised> scaled_channels(DType dtype, const Tensor& min, const Tensor& max) {
  if (min.dtype() != DType::kF32 || max.dtype() != DType::kF32 || min.count() != max.count() || min.count() == 0 ||
      min.rank() > 1 || max.rank() > 1)
    return bad_input("expected as many minima as maxima, found {} and {}", min.type().text(), max.type().text());
  Quantised out;
  for (std::size_t i = 0; i < min.as<float>().size(); ++i) {
    const Range range{min.as<float>()[i], max.as<float>()[i]};
    FOVEA_TRY(const Quantised one,
              dtype == DType::kU8 && min.count() == 1 ? operand_parameters(dtype, range) : scaled(dtype, range));
    out.scale.push_back(one.scale[0]);
    out.zero_point.push_back(one.zero_point[0]);
  }
  out.dtype = dtype;
  return out;
}

Result<Range> range_at(NodeContext& node, int i) {
  Range out;
  FOVEA_TRY(out.min, node.number(i, "min"));
  FOVEA_TRY(out.max, node.number(i + 1, "max"));
  FOVEA_RETURN_IF_ERROR(check_range(out));
  return out;
}

Status give_range(NodeContext& node, const Range& range) {
  const auto held = [](float v) { return Held{.constant = std::make_shared<const Tensor>(Tensor::scalar(v))}; };
  FOVEA_RETURN_IF_ERROR(node.give(held(range.min), 1));
  return node.give(held(range.max), 2);
}

bool same_parameters(const Quantised& a, const Quantised& b) {
  if (a.dtype != b.dtype || !a.per_tensor() || !b.per_tensor() || a.zero_point[0] != b.zero_point[0]) return false;
  return std::fabs(a.scale[0] - b.scale[0]) <= 1e-5f * std::fabs(a.scale[0]);
}

namespace {

struct Parameters {
  ValueId scale, zero;
};

Parameters parameter_values(NodeContext& node, const Quantised& q, const std::string& suffix) {
  return {node.constant_value(suffix + "scale", Tensor::scalar(q.scale[0])),
          node.constant_value(suffix + "zero", Tensor::scalar(q.zero_point[0]).cast(q.dtype))};
}

}  // namespace

ValueId round_trip(NodeContext& node, ValueId value, const Quantised& q, const std::string& suffix) {
  const std::string before = suffix.empty() ? "" : suffix + "_";
  const Parameters p = parameter_values(node, q, before);
  const ValueId bytes = node.call("QuantizeLinear", before + "quantized", {value, p.scale, p.zero});
  return node.call("DequantizeLinear", suffix, {bytes, p.scale, p.zero});
}

Result<std::shared_ptr<const Tensor>> quantised_constant(const Tensor& values, const Quantised& q) {
  Node node;
  node.op = "QuantizeLinear";
  node.inputs = {0, 1, 2};
  node.outputs = {3};
  const std::int64_t n = std::ssize(q.scale);
  Tensor scale = Tensor::of<float>({n}, std::span(q.scale));
  Tensor zero = Tensor::of<std::int32_t>({n}, std::span(q.zero_point)).cast(q.dtype);
  if (q.per_tensor()) {
    scale = std::move(scale).reshaped({});
    zero = std::move(zero).reshaped({});
  } else {
    node.attributes["axis"] = std::int64_t{q.axis};
  }
  const Tensor* operands[] = {&values, &scale, &zero};
  FOVEA_TRY(std::vector<Tensor> out, evaluate_node(node, operands));
  return std::make_shared<const Tensor>(std::move(out.front()));
}

Result<ValueId> real_operand(NodeContext& node, int i, const Quantised& wanted, bool as_image) {
  Held& held = node.input(i);
  if (held.constant) {
    Held bytes{.constant = held.constant, .quantised = wanted};
    if (held.constant->dtype() != wanted.dtype)
      return bad_input("input {}: expected {} bytes, found {}", i, dtype_name(wanted.dtype),
                       held.constant->type().text());
    const std::string name = fmt::format("{}_input_{}", node.name, i);
    return as_image ? node.store.channels_first(bytes, name) : node.store.file_order(bytes, name);
  }
  if (!held.quantised) return bad_input("input {}: expected quantised elements, found {}", i, node.type(i).text());
  FOVEA_TRY(const ValueId real, as_image ? node.image(i, true) : Result<ValueId>(node.value(i)));
  if (held.quantised->dtype == DType::kS32 || same_parameters(*held.quantised, wanted)) return real;
  // The operator reads the bytes with other parameters than they were written with.
  const std::string suffix = fmt::format("reread_{}", i);
  if (held.quantised->dtype != wanted.dtype)
    return bad_input("input {}: expected {} bytes, found {}", i, dtype_name(wanted.dtype),
                     dtype_name(held.quantised->dtype));
  const Parameters from = parameter_values(node, *held.quantised, suffix + "_from_");
  const Parameters to = parameter_values(node, wanted, suffix + "_");
  const ValueId bytes = node.call("QuantizeLinear", suffix + "_bytes", {real, from.scale, from.zero});
  return node.call("DequantizeLinear", suffix, {bytes, to.scale, to.zero});
}

Result<DType> byte_type(NodeContext& node, int i) {
  const Held& held = node.input(i);
  if (held.constant) return held.constant->dtype();
  if (held.quantised) return held.quantised->dtype;
  return bad_input("input {}: expected quantised elements, found {}", i, node.type(i).text());
}

}  // namespace fovea::tensorflow_import
