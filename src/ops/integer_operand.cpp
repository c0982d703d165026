#include "ops/integer_operand.h"

#include "ops/element_types.h"
#include "ops/operands.h"

namespace fovea::ops {

Result<std::optional<std::vector<std::int64_t>>> known_integers(const InferContext& context, int i,
                                                                std::string_view name) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, i, name, kIndexTypes));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, i, name, 0, 1));
  const Tensor* constant = context.constant(i);
  if (!constant) return std::optional<std::vector<std::int64_t>>();
  return std::optional(constant->to_int64s());
}

Result<std::optional<std::int64_t>> known_integer(const InferContext& context, int i, std::string_view name) {
  FOVEA_TRY(const auto values, known_integers(context, i, name));
  const auto length = values ? static_cast<std::int64_t>(values->size()) : known_length(context, i).value_or(1);
  if (length != 1) return bad_input("operand {}: expected one integer, found {}", name, length);
  return values ? std::optional(values->front()) : std::nullopt;
}

std::optional<std::int64_t> known_length(const InferContext& context, int i) {
  const Shape& shape = context.shape(i);
  if (!shape.is_ranked() || shape.rank() > 1) return std::nullopt;
  if (shape.rank() == 0) return 1;
  return shape[0].is_fixed() ? std::optional(shape[0].extent()) : std::nullopt;
}

}  // namespace fovea::ops
