// Checks and conversions of operands that the operators' shape rules and evaluations share.
#pragma once

#include <initializer_list>
#include <vector>

#include "ops/op_spec.h"

namespace fovea::ops {

// The float types an operator takes; evaluations see f16 and bf16 widened to f32.
inline constexpr std::initializer_list<DType> kFloatTypes = {DType::kF32, DType::kF64, DType::kF16, DType::kBf16};
inline constexpr std::initializer_list<DType> kByteTypes = {DType::kU8, DType::kS8};

// Largest extent, kernel, stride, dilation or padding of a spatial axis. Products of two such numbers, and the sum of
// two such products, stay within int64.
inline constexpr std::int64_t kMaxSpatial = std::int64_t{1} << 31;

// Every error names the operand, what was expected and what was found: "operand W: expected rank 4, found f32[8,3]".
// A check of an omitted operand fails, so ask context.has(i) first where the operand is optional.

// Also that the extents, where fixed, multiply to a sane number of elements.
Status expect_type(const InferContext& context, int i, std::string_view name, std::initializer_list<DType> allowed);
Status expect_same_type(const InferContext& context, int i, std::string_view name, int as, std::string_view as_name);
// An unranked shape passes.
Status expect_rank(const InferContext& context, int i, std::string_view name, int min_rank, int max_rank);
// Passes if the shapes may be equal; `meaning` explains the expectation: "one value an output channel".
Status expect_shape(const InferContext& context, int i, std::string_view name, const Shape& expected,
                    std::string_view meaning);
// True if the operand has exactly one element: [] or [1]. Unknown shapes do not count.
bool is_single_element(const Shape& shape);

// An axis attribute in [-rank, rank), made non-negative.
Result<int> resolve_axis(std::string_view name, std::int64_t axis, int rank);

// Appends an output type; an error where its rank exceeds kMaxRank, or its extents are fixed and too many elements.
Status add_output(InferContext& context, DType dtype, Shape shape);

// Runs the shape rule on the operands of an evaluation, so that what follows may rely on every check of it. The context
// holds concrete shapes and every operand's elements; its outputs are the types of the results.
Result<InferContext> checked_for_evaluation(const EvalContext& context, Status (*infer)(InferContext&));
// Result tensor i for checked types. An error where its extents are open or it has more than 2^27 elements (a reference
// result larger than that is a mistake or an attack).
Result<Tensor> new_output(const InferContext& checked, int i = 0);

// Elements as double, exact for all types but 64-bit integers beyond 2^53.
std::vector<double> widened(const Tensor& tensor);
// The same for `count` elements from `begin` on, into `out`.
void widen(const Tensor& tensor, std::int64_t begin, std::int64_t count, double* out);
// Writes `values` as elements of an f32 or f64 tensor from `begin` on.
void store_floats(std::span<const double> values, Tensor& tensor, std::int64_t begin = 0);

// The extent where it is fixed, else 1: how costs count open extents.
double extent_or_one(const Dim& dim);
// Product of the extents from `first_axis` on, open ones counted as 1.
double elements_or_one(const Shape& shape, int first_axis = 0);
// The type of output i: as the context has it, or inferred anew where it holds none. Unranked if that fails.
TensorType output_type(const InferContext& context, Status (*infer)(InferContext&), int i = 0);

}  // namespace fovea::ops
