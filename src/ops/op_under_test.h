// For tests of operators: calls one operator with tensors, and checks its shape rule against what the evaluation gives.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/evaluate.h"
#include "ops/infer.h"

namespace fovea::ops {

// One application of an operator; omitted inputs are nullopt.
struct OpUnderTest {
  std::string op;
  std::vector<std::optional<Tensor>> inputs;
  Attributes attributes = {};
  int output_count = 1;

  Node node() const {
    Node out{"tested", op, {}, {}, attributes, true};
    for (std::size_t i = 0; i < inputs.size(); ++i)
      out.inputs.push_back(inputs[i] ? static_cast<ValueId>(i) : kNoValue);
    for (int i = 0; i < output_count; ++i) out.outputs.push_back(100 + i);
    return out;
  }

  // Evaluates it. The shape rule must agree with the results, both when it knows the elements of all operands and when
  // it knows their types or even only their ranks.
  Result<std::vector<Tensor>> results() const {
    std::vector<const Tensor*> tensors;
    std::vector<InferContext::Operand> typed, open;
    for (const auto& input : inputs) {
      tensors.push_back(input ? &*input : nullptr);
      typed.push_back(input ? InferContext::Operand{input->type(), nullptr, true} : InferContext::Operand{});
      open.push_back(typed.back());
      if (input) open.back().type.shape = Shape(std::vector<Dim>(input->dims().size()));
    }
    FOVEA_TRY(std::vector<Tensor> out, evaluate_node(node(), tensors));
    for (const auto& operands : {typed, open}) {
      const auto types = infer_node(node(), operands);
      EXPECT_TRUE(types.ok()) << types.error().text();
      if (!types.ok()) continue;
      EXPECT_EQ(types->size(), out.size());
      for (std::size_t i = 0; i < types->size() && i < out.size(); ++i) {
        EXPECT_EQ((*types)[i].dtype, out[i].dtype());
        EXPECT_TRUE((*types)[i].shape.may_equal(Shape(out[i].dims())))
            << (*types)[i].text() << " was inferred, " << out[i].type().text() << " evaluated";
      }
    }
    return out;
  }

  // The first output.
  Result<Tensor> result() const {
    FOVEA_TRY(std::vector<Tensor> out, results());
    return std::move(out.at(0));
  }

  // The text of the error that evaluating gives; empty if there is none.
  std::string error() const {
    const auto out = results();
    return out.ok() ? "" : out.error().text();
  }
  ErrorCode error_code() const {
    const auto out = results();
    return out.ok() ? ErrorCode::kInternal : out.error().code();
  }
};

// Expects the elements (of type T, compared exactly) and dims of a result.
template <class T>
void expect_tensor(const Result<Tensor>& result, const Dims& dims, const std::vector<T>& elements) {
  ASSERT_TRUE(result.ok()) << result.error().text();
  ASSERT_EQ(result->dtype(), DTypeOf<T>::value);
  EXPECT_EQ(result->dims(), dims);
  const auto found = result->template as<T>();
  EXPECT_EQ(std::vector<T>(found.begin(), found.end()), elements);
}
// The same for floats within `tolerance` of the values.
template <class T>
void expect_near(const Result<Tensor>& result, const Dims& dims, const std::vector<T>& elements, double tolerance) {
  ASSERT_TRUE(result.ok()) << result.error().text();
  ASSERT_EQ(result->dtype(), DTypeOf<T>::value);
  EXPECT_EQ(result->dims(), dims);
  ASSERT_EQ(result->as<T>().size(), elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) EXPECT_NEAR(result->as<T>()[i], elements[i], tolerance) << i;
}

// Types that a shape rule gives for operands of these types; a constant's elements are known to it.
struct TypedOperand {
  TensorType type;
  std::optional<Tensor> constant = {};
  TypedOperand(TensorType t) : type(std::move(t)) {}                  // NOLINT: implicit by design
  TypedOperand(Tensor t) : type(t.type()), constant(std::move(t)) {}  // NOLINT
};
inline Result<std::vector<TensorType>> inferred(const std::string& op, const std::vector<TypedOperand>& operands,
                                                Attributes attributes = {}, int output_count = 1) {
  Node node{"tested", op, {}, std::vector<ValueId>(static_cast<std::size_t>(output_count), 100), std::move(attributes)};
  std::vector<InferContext::Operand> given;
  for (const TypedOperand& operand : operands) {
    node.inputs.push_back(static_cast<ValueId>(node.inputs.size()));
    given.push_back({operand.type, operand.constant ? &*operand.constant : nullptr, true});
  }
  return infer_node(node, std::move(given));
}
// The same as text: "f32[N,8]", several types joined by spaces, or the error.
inline std::string inferred_text(const std::string& op, const std::vector<TypedOperand>& operands,
                                 Attributes attributes = {}, int output_count = 1) {
  const auto types = inferred(op, operands, std::move(attributes), output_count);
  if (!types.ok()) return types.error().text();
  std::string out;
  for (const TensorType& type : *types) out += (out.empty() ? "" : " ") + type.text();
  return out;
}

inline Tensor ints(const std::vector<std::int64_t>& values) {
  return Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, std::span<const std::int64_t>(values));
}
// [0, 1, 2, …] in f32.
inline Tensor iota(const Dims& dims) {
  Tensor out(DType::kF32, dims);
  float next = 0;
  for (float& x : out.as<float>()) x = next++;
  return out;
}
inline Dim symbol(const char* name) { return Dim::symbolic(name); }

}  // namespace fovea::ops
