#include "import/onnx/wire_schema.h"

namespace fovea::onnx_import {
namespace {

// The kinds of messages.
enum Kind {
  kModel,
  kGraph,
  kNode,
  kAttribute,
  kTensor,
  kSparseTensor,
  kValueInfo,
  kType,
  kTypeBody,
  kShape,
  kLeaf,
  kTraining,
  kFunction,
  kAnnotation
};

// Field numbers of onnx.proto. Fields not listed are texts or scalars.
constexpr wire::FieldRow kFields[] = {
    {kModel, 7, kGraph},
    {kModel, 8, kLeaf},
    {kModel, 14, kLeaf},
    {kModel, 20, kTraining},
    {kModel, 25, kFunction},
    {kGraph, 1, kNode},
    {kGraph, 5, kTensor},
    {kGraph, 11, kValueInfo},
    {kGraph, 12, kValueInfo},
    {kGraph, 13, kValueInfo},
    {kGraph, 14, kAnnotation},
    {kGraph, 15, kSparseTensor},
    {kNode, 5, kAttribute},
    {kAttribute, 5, kTensor},
    {kAttribute, 6, kGraph},
    {kAttribute, 8, wire::kPacked},
    {kAttribute, 10, kTensor},
    {kAttribute, 11, kGraph},
    {kAttribute, 14, kType},
    {kAttribute, 15, kType},
    {kAttribute, 22, kSparseTensor},
    {kAttribute, 23, kSparseTensor},
    {kTensor, 1, wire::kPacked},
    {kTensor, 3, kLeaf},
    {kTensor, 5, wire::kPacked},
    {kTensor, 7, wire::kPacked},
    {kTensor, 11, wire::kPacked},
    {kTensor, 13, kLeaf},
    {kSparseTensor, 1, kTensor},
    {kSparseTensor, 2, kTensor},
    {kSparseTensor, 3, wire::kPacked},
    {kValueInfo, 2, kType},
    {kType, 1, kTypeBody},
    {kType, 4, kTypeBody},
    {kType, 5, kTypeBody},
    {kType, 8, kTypeBody},
    {kType, 9, kTypeBody},
    // The body of a tensor type holds a shape at 2, of a map type a type at 2, of the others a type at 1; walking all
    // of them as types and shapes alike is safe, because only lengths and counts matter here.
    {kTypeBody, 1, kType},
    {kTypeBody, 2, kShape},
    {kShape, 1, kType},
    {kShape, 4, kTypeBody},
    {kShape, 5, kTypeBody},
    {kShape, 9, kTypeBody},
    {kTraining, 1, kGraph},
    {kTraining, 2, kGraph},
    {kTraining, 3, kLeaf},
    {kTraining, 4, kLeaf},
    {kFunction, 7, kNode},
    {kFunction, 9, kLeaf},
    {kAnnotation, 2, kLeaf},
};

}  // namespace

const wire::Schema& model_schema() {
  static constexpr wire::Schema kSchema{"ONNX message", kFields, kModel, kNode};
  return kSchema;
}

const wire::Schema& tensor_schema() {
  static constexpr wire::Schema kSchema{"ONNX message", kFields, kTensor, kNode};
  return kSchema;
}

}  // namespace fovea::onnx_import
