#include <google/protobuf/text_format.h>
#include <onnx/onnx_pb.h>

#include "export/onnx/export_onnx.h"
#include "graph/text.h"
#include "ops/infer.h"
#include "tests/conformance/test_data.h"
#include "tests/fuzz/onnx_mutator.h"

namespace fovea::fuzz {
namespace {

constexpr const char* kClassifier = R"(
graph classifier
input x: f32[N,3,8,8]
const w1: f32[8,3,3,3] = seed(1)
const b1: f32[8] = seed(2)
const scale: f32[8] = splat(1.5)
const shift: f32[8] = splat(0.25)
const mean: f32[8] = seed(3)
const var: f32[8] = splat(1)
const w2: f32[8,1,3,3] = seed(4)
const slope: f32[8,1,1] = splat(0.1)
const low: f32[] = {0}
const high: f32[] = {6}
const fc: f32[10,8] = seed(5)
const bias: f32[10] = seed(6)
c1 = Conv(x, w1, b1) {pads=[1,1,1,1], strides=[2,2], kernel_shape=[3,3]}
n1 = BatchNormalization(c1, scale, shift, mean, var) {epsilon=0.001}
r1 = Relu(n1)
c2 = Conv(r1, w2) {group=8, auto_pad="SAME_UPPER"}
p2 = PRelu(c2, slope)
k2 = Clip(p2, low, high)
s2 = HardSwish(k2)
a2 = Add(s2, r1)
m2 = MaxPool(a2) {kernel_shape=[2,2], strides=[2,2], ceil_mode=1}
v2 = AveragePool(m2) {kernel_shape=[3,3], pads=[1,1,1,1], count_include_pad=1}
l2 = LRN(v2) {size=3}
g = GlobalAveragePool(l2)
f = Flatten(g)
d = Dropout(f)
y = Gemm(d, fc, bias) {transB=1, alpha=0.5}
p = Softmax(y) {axis=1}
q = LogSoftmax(y)
output p
output q
)";

constexpr const char* kQuantised = R"(
graph quantised
input x: f32[N,2,6,6]
const s: f32[] = {0.05}
const z: u8[] = {128}
const ws: f32[4] = {0.01, 0.02, 0.03, 0.04}
const wz: s8[4] = {0, 0, 0, 0}
const wq: s8[4,2,3,3] = seed(1)
const b: f32[4] = seed(2)
const ms: f32[] = {0.1}
const mq: s8[4,3] = seed(3)
const mz: s8[] = {0}
const target: s64[2] = {-1, 4}
q = QuantizeLinear(x, s, z)
d = DequantizeLinear(q, s, z)
w = DequantizeLinear(wq, ws, wz) {axis=0}
c = Conv(d, w, b) {pads=[1,1,1,1]}
qc = QuantizeLinear(c, s, z)
lc = QLinearConv(q, s, z, wq, ws, wz, s, z)
li = ConvInteger(q, wq, z)
dq, ds, dz = DynamicQuantizeLinear(c)
t = Transpose(qc) {perm=[0,2,3,1]}
r = Reshape(t, target)
m = QLinearMatMul(r, s, z, mq, ms, mz, s, z)
i = MatMulInteger(r, mq, z, mz)
o = DequantizeLinear(m, s, z)
output o
output i
output lc
output li
output dq
)";

constexpr const char* kShapes = R"(
graph shapes
input x: f32[N,4,6]
const zero: s64[1] = {0}
const one: s64[1] = {1}
const two: s64[1] = {2}
const last: s64[1] = {-1}
const starts: s64[2] = {0, 1}
const ends: s64[2] = {4, 5}
const axes: s64[2] = {1, 2}
const steps: s64[2] = {1, 2}
const halves: s64[2] = {2, 2}
const pads: s64[6] = {0, 1, 0, 0, 1, 2}
const fill: f32[] = {0.5}
const repeats: s64[3] = {1, 2, 1}
const start: s64[] = {0}
const limit: s64[] = {4}
const step: s64[] = {1}
const index: s64[2,2] = {0, 1, -1, 0}
const wide: s64[3] = {1, 4, 6}
const index2: s64[1,4,6] = zeros
s = Shape(x)
n = Gather(s, zero)
t = Concat(n, last) {axis=0}
f = Reshape(x, t)
u = Unsqueeze(f, one)
v = Squeeze(u, one)
c = Slice(x, starts, ends, axes, steps)
a, b = Split(x, halves) {axis=1}
e = Pad(x, pads, fill)
r = Tile(x, repeats)
g = Gather(x, index) {axis=1}
k = ConstantOfShape(wide)
w = Expand(k, s)
m = Range(start, limit, step)
j = Cast(m) {to=1}
h = Greater(x, fill)
o = Where(h, x, w)
d = Sub(a, b)
z = GatherElements(x, index2) {axis=2}
output v
output c
output d
output e
output r
output g
output o
output j
output z
)";

constexpr const char* kDetector = R"(
graph detector
input x: f32[1,8,4,4]
input boxes: f32[1,6,4]
input scores: f32[1,2,6]
const scales: f32[4] = {1, 1, 2, 2}
const sizes: s64[4] = {1, 2, 5, 3}
const k: s64[1] = {3}
const most: s64[] = {3}
const iou: f32[] = {0.5}
const least: f32[] = {0.1}
const spatial: s64[2] = {2, 3}
const w: f32[8,2,3,3] = seed(1)
const v: f32[4,4] = seed(2)
d = DepthToSpace(x) {blocksize=2}
s = SpaceToDepth(d) {blocksize=2}
u = Resize(s, _, scales) {mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"}
r = Resize(d, _, _, sizes) {mode="linear"}
q = Resize(d, _, _, sizes) {mode="cubic"}
t = ConvTranspose(x, w) {strides=[2,2], output_padding=[1,1]}
m = ReduceMean(x, spatial) {keepdims=0}
n = ReduceMax(x, spatial)
h = Mul(x, n)
g = HardSigmoid(h) {alpha=0.2}
b = MatMul(g, v)
e = Erf(b)
l = LeakyRelu(e) {alpha=0.1}
i = ArgMax(l) {axis=1, keepdims=0}
c, j = TopK(m, k) {axis=1}
o = NonMaxSuppression(boxes, scores, most, iou, least)
output u
output r
output q
output t
output i
output c
output j
output o
)";

// Forms that newer opsets no longer have, which the writer cannot make.
constexpr const char* kLegacy = R"(
ir_version: 3 opset_import { domain: "" version: 9 }
graph {
  name: "legacy"
  input { name: "x" type { tensor_type { elem_type: 1 shape { dim { dim_value: 1 } dim { dim_value: 4 } dim { dim_value: 6 }
    dim { dim_value: 6 } } } } }
  input { name: "s" type { tensor_type { elem_type: 1 shape { dim { dim_value: 4 } } } } }
  output { name: "a" } output { name: "t" } output { name: "i" } output { name: "z" } output { name: "e" }
  initializer { name: "s" dims: 4 data_type: 1 float_data: [1, 2, 3, 4] }
  initializer { name: "up" dims: 4 data_type: 1 float_data: [1, 1, 2, 2] }
  node { op_type: "BatchNormalization" input: ["x", "s", "s", "s", "s"] output: "n" attribute { name: "epsilon" type: FLOAT f: 0.001 } }
  node { op_type: "Clip" input: "n" output: "c" attribute { name: "max" type: FLOAT f: 6 } attribute { name: "min" type: FLOAT f: 0 } }
  node { op_type: "Pad" input: "c" output: "p" attribute { name: "pads" type: INTS ints: [0, 0, 1, 1, 0, 0, 1, 1] }
    attribute { name: "value" type: FLOAT f: 1 } }
  node { op_type: "Slice" input: "p" output: "l" attribute { name: "starts" type: INTS ints: [1, 0] }
    attribute { name: "ends" type: INTS ints: [7, -1] } attribute { name: "axes" type: INTS ints: [2, 3] } }
  node { op_type: "Split" input: "l" output: ["h1", "h2"] attribute { name: "axis" type: INT i: 1 } attribute { name: "split" type: INTS ints: [1, 3] } }
  node { op_type: "Upsample" input: ["h2", "up"] output: "u" attribute { name: "mode" type: STRING s: "nearest" } }
  node { op_type: "ReduceMean" input: "u" output: "r" attribute { name: "axes" type: INTS ints: [2, 3] } attribute { name: "keepdims" type: INT i: 1 } }
  node { op_type: "Squeeze" input: "r" output: "q" attribute { name: "axes" type: INTS ints: [2, 3] } }
  node { op_type: "Unsqueeze" input: "q" output: "z" attribute { name: "axes" type: INTS ints: [0] } }
  node { op_type: "Softmax" input: "x" output: "a" attribute { name: "axis" type: INT i: 1 } }
  node { op_type: "Dropout" input: "q" output: "d" attribute { name: "ratio" type: FLOAT f: 0.3 } }
  node { op_type: "TopK" input: "d" output: ["t", "i"] attribute { name: "k" type: INT i: 2 } }
  node { op_type: "Constant" output: "k" attribute { name: "value" type: TENSOR t { dims: 1 data_type: 1 raw_data: "\000\000\200?" } } }
  node { op_type: "Mean" input: ["h1", "k"] output: "e" }
}
)";

Bytes from_text(const std::string& text) {
  auto graph = parse_graph(text);
  FOVEA_CHECK(graph.ok());
  FOVEA_CHECK(infer_graph(*graph).ok());
  auto bytes = export_onnx_bytes(*graph, {.opset = 14});
  FOVEA_CHECK(bytes.ok());
  return std::move(bytes).value();
}

Bytes from_message(const char* text) {
  onnx::ModelProto model;
  FOVEA_CHECK(google::protobuf::TextFormat::ParseFromString(text, &model));
  const std::string serialised = model.SerializeAsString();
  const auto bytes = std::as_bytes(std::span(serialised));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::vector<Seed> onnx_seeds() {
  std::vector<Seed> seeds = {{"classifier", from_text(kClassifier)},
                             {"quantised", from_text(kQuantised)},
                             {"shapes", from_text(kShapes)},
                             {"detector", from_text(kDetector)},
                             {"legacy", from_message(kLegacy)}};
  for (const char* name : {"cifar10_resnet8_qdq.onnx", "cifar10_resnet8_fp32.onnx"}) {
    const auto path = test::data_folder() / "models" / name;
    if (std::filesystem::exists(path)) seeds.push_back({name, test::read_file(path)});
  }
  return seeds;
}

}  // namespace fovea::fuzz
