#include "import/tensorflow/graph_def_schema.h"

namespace fovea::tensorflow_import {
namespace {

enum Kind { kGraph, kNode, kEntry, kAttr, kList, kTensor, kShape, kLeaf };

// Field numbers of graph_def.proto. Fields not listed are texts, scalars, or kept unread.
constexpr wire::FieldRow kFields[] = {
    {kGraph, 1, kNode},
    {kGraph, 4, kLeaf},
    {kNode, 5, kEntry},
    {kEntry, 2, kAttr},
    {kAttr, 1, kList},
    {kAttr, 7, kShape},
    {kAttr, 8, kTensor},
    {kList, 3, wire::kPacked},
    {kList, 4, wire::kPacked},
    {kList, 5, wire::kPacked},
    {kList, 6, wire::kPacked},
    {kList, 7, kShape},
    {kList, 8, kTensor},
    {kTensor, 2, kShape},
    {kTensor, 5, wire::kPacked},
    {kTensor, 6, wire::kPacked},
    {kTensor, 7, wire::kPacked},
    {kTensor, 10, wire::kPacked},
    {kTensor, 11, wire::kPacked},
    {kTensor, 13, wire::kPacked},
    {kTensor, 16, wire::kPacked},
    {kTensor, 17, wire::kPacked},
    {kShape, 2, kLeaf},
};

}  // namespace

const wire::Schema& graph_def_schema() {
  static constexpr wire::Schema kSchema{"GraphDef", kFields, kGraph, kNode};
  return kSchema;
}

}  // namespace fovea::tensorflow_import
