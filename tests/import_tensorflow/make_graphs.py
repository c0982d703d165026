"""Builds TensorFlow graphs, layer by layer, from the weights of ONNX classifiers, and freezes them.

usage: make_graphs.py MODEL.onnx[.gz] OUT.pb [plain | leftovers | int8] [IMAGES.npy | FOLDER]
plain: the network as its authors would have frozen it. leftovers: the same with what training leaves behind (switches,
identities, checks, shapes computed at run time, an ArgMax). int8: oneDNN's quantised operators with ranges calibrated on
IMAGES (float NHWC, as the network takes them), or on the first 16 photographs of FOLDER, prepared as ResNet50 takes them.
Needs tensorflow and onnx (tools/setup/requirements-tensorflow.txt).
"""

import gzip
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import onnx
import onnx.numpy_helper
import tensorflow as tf

raw = tf.raw_ops


class Network:
    """The nodes, weights and attributes of an ONNX classifier."""

    def __init__(self, path):
        data = Path(path).read_bytes()
        model = onnx.load_model_from_string(gzip.decompress(data) if str(path).endswith(".gz") else data)
        self.graph = model.graph
        self.constants = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
        self.nodes = []
        for node in model.graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
            else:
                self.nodes.append(node)
        self.input = next(i for i in model.graph.input if i.name not in self.constants)
        dims = [d.dim_value for d in self.input.type.tensor_type.shape.dim]
        self.image = [dims[2], dims[3], dims[1]]
        self.output = model.graph.output[0].name

    def readers(self, value):
        return [n for n in self.nodes if value in n.input]


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def name_of(node):
    return (node.name or node.output[0]).replace(":", "_").lstrip("/_ ") or node.output[0]


def same_pads(size, kernel, stride):
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return [total // 2, total - total // 2]


def padding_of(attrs, size, kernel):
    """'SAME' or 'VALID' where they mean the ONNX pads, else the pads [top, left, bottom, right]."""
    if attrs.get("auto_pad", b"NOTSET") in (b"SAME_UPPER", "SAME_UPPER"):
        return "SAME"
    pads = list(attrs.get("pads", [0, 0, 0, 0]))
    strides = attrs.get("strides", [1, 1])
    if not any(pads):
        return "VALID"
    wanted = [same_pads(size[i], kernel[i], strides[i]) for i in range(2)]
    return "SAME" if pads == [wanted[0][0], wanted[1][0], wanted[0][1], wanted[1][1]] else pads


class FloatBuilder:
    """The network in float operators; `leftovers` adds what training leaves behind."""

    def __init__(self, network, leftovers=False):
        self.network = network
        self.leftovers = leftovers
        self.values = {}
        self.training = None

    def weight(self, array, name):
        constant = tf.constant(array, name=name)
        return tf.identity(constant, name=name + "/read") if self.leftovers else constant

    def build(self):
        net = self.network
        x = tf.compat.v1.placeholder(tf.float32, [None] + net.image, name="input")
        if self.leftovers:
            self.training = tf.compat.v1.placeholder_with_default(tf.constant(False), [], name="is_training")
            x = tf.debugging.check_numerics(tf.identity(x, name="input_identity"), "not a number", name="check")
            x = tf.stop_gradient(x, name="stop")
            with tf.control_dependencies([tf.no_op(name="init")]):
                x = tf.identity(x, name="after_init")
        self.values[net.input.name] = x
        for node in net.nodes:
            self.values[node.output[0]] = getattr(self, "op_" + node.op_type.lower())(node)
        y = tf.identity(self.values[net.output], name="logits_or_scores")
        if self.leftovers:
            tf.argmax(self.values[net.output], 1, output_type=tf.int32, name="classes")
        return y.op.name

    def op_conv(self, node):
        attrs, name = attributes(node), name_of(node)
        x, w = self.values[node.input[0]], self.network.constants[node.input[1]]
        kernel, strides = list(w.shape[2:]), list(attrs.get("strides", [1, 1]))
        padding = padding_of(attrs, x.shape[1:3].as_list(), kernel)
        if not isinstance(padding, str):
            top, left, bottom, right = padding
            x = tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]], name=name + "/pad")
            padding = "VALID"
        all_strides = [1, strides[0], strides[1], 1]
        if attrs.get("group", 1) > 1:
            filters = self.weight(np.transpose(w, (2, 3, 0, 1)), name + "/filters")  # [h, w, c, 1]
            y = raw.DepthwiseConv2dNative(input=x, filter=filters, strides=all_strides, padding=padding, name=name)
        else:
            filters = self.weight(np.transpose(w, (2, 3, 1, 0)), name + "/filters")
            y = raw.Conv2D(input=x, filter=filters, strides=all_strides, padding=padding, name=name)
        if len(node.input) > 2:
            bias = self.weight(self.network.constants[node.input[2]], name + "/bias")
            y = tf.nn.bias_add(y, bias, name=name + "/add")
        return y

    def op_batchnormalization(self, node):
        name, constants = name_of(node), self.network.constants
        scale, offset, mean, variance = (self.weight(constants[i], f"{name}/{k}")
                                         for i, k in zip(node.input[1:], ("scale", "offset", "mean", "variance")))
        x = self.values[node.input[0]]
        epsilon = attributes(node).get("epsilon", 1e-5)
        if self.leftovers and "1" in name[-1:]:  # some of them written out, as grappler and old slim do
            factor = tf.multiply(tf.math.rsqrt(variance + epsilon), scale, name=name + "/factor")
            return tf.add(x * factor, offset - mean * factor, name=name)
        return raw.FusedBatchNormV3(x=x, scale=scale, offset=offset, mean=mean, variance=variance, epsilon=epsilon,
                                    is_training=False, name=name)[0]

    def switched(self, x, name):
        """x, by way of a conditional that training would take the other side of."""
        off, on = raw.Switch(data=x, pred=self.training, name=name + "/switch")
        return raw.Merge(inputs=[off, tf.multiply(on, 0.5, name=name + "/dropped")], name=name + "/merge")[0]

    def op_relu(self, node):
        x = tf.nn.relu(self.values[node.input[0]], name=name_of(node))
        return self.switched(x, name_of(node)) if self.leftovers and len(self.values) == 4 else x

    def op_clip(self, node):
        low, high = (float(self.network.constants[i]) for i in node.input[1:])
        x, name = self.values[node.input[0]], name_of(node)
        if (low, high) == (0, 6):
            return tf.nn.relu6(x, name=name)
        return tf.minimum(tf.maximum(x, low), high, name=name)

    def op_add(self, node):
        return tf.add(self.values[node.input[0]], self.values[node.input[1]], name=name_of(node))

    def op_maxpool(self, node):
        attrs, name = attributes(node), name_of(node)
        x, kernel = self.values[node.input[0]], attrs["kernel_shape"]
        padding = padding_of(attrs, x.shape[1:3].as_list(), kernel)
        if not isinstance(padding, str):
            top, left, bottom, right = padding  # zeros below a ReLU do not win
            x = tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]], name=name + "/pad")
            padding = "VALID"
        return tf.nn.max_pool2d(x, list(kernel), list(attrs["strides"]), padding, name=name)

    def op_globalaveragepool(self, node):
        x, name = self.values[node.input[0]], name_of(node)
        if self.leftovers:
            size = x.shape[1:3].as_list()
            return tf.nn.avg_pool2d(x, size, [1, 1], "VALID", name=name)
        return tf.reduce_mean(x, [1, 2], keepdims=True, name=name)

    def op_flatten(self, node):
        x, name = self.values[node.input[0]], name_of(node)
        if self.leftovers:
            batch = tf.strided_slice(tf.shape(x, name=name + "/shape"), [0], [1], [1], shrink_axis_mask=1)
            return tf.reshape(x, tf.stack([batch, int(x.shape[3])], name=name + "/stack"), name=name)
        return tf.squeeze(x, [1, 2], name=name)

    def op_gemm(self, node):
        w, name = self.network.constants[node.input[1]], name_of(node)
        w = w.T if attributes(node).get("transB", 0) else w
        y = tf.matmul(self.values[node.input[0]], self.weight(np.ascontiguousarray(w), name + "/weights"), name=name)
        return tf.nn.bias_add(y, self.weight(self.network.constants[node.input[2]], name + "/bias"), name=name + "/add")

    def op_softmax(self, node):
        return tf.nn.softmax(self.values[node.input[0]], name=name_of(node))


class Layer:
    """A convolution or matrix product with what follows it: [batch norm] [add] [ReLU]."""

    def __init__(self, network, node, added):
        """`added` collects the sums that layers have taken in: of two that meet in one, the first does."""
        self.node, self.added, constants = node, added, network.constants
        self.weights = constants[node.input[1]].astype(np.float32)
        self.product = node.op_type == "Gemm"
        if self.product and attributes(node).get("transB", 0):
            self.weights = np.ascontiguousarray(self.weights.T)
        outputs = self.weights.shape[1] if self.product else self.weights.shape[0]
        self.bias = constants[node.input[2]].copy() if len(node.input) > 2 else np.zeros(outputs, np.float32)
        self.output, self.summand, self.relu = node.output[0], None, False
        while True:
            readers = network.readers(self.output)
            if len(readers) != 1 or not self.take(readers[0], constants):
                return

    def take(self, node, constants):
        if node.op_type == "BatchNormalization" and self.summand is None and not self.relu:
            scale, offset, mean, variance = (constants[i] for i in node.input[1:5])
            factor = scale / np.sqrt(variance + attributes(node).get("epsilon", 1e-5))
            self.weights = self.weights * factor.reshape(-1, 1, 1, 1)
            self.bias = (self.bias - mean) * factor + offset
        elif (node.op_type == "Add" and self.summand is None and not self.relu and not self.product
              and node.output[0] not in self.added):
            self.added.add(node.output[0])
            self.summand = next(i for i in node.input if i != self.output)
        elif node.op_type in ("Relu", "Clip") and not self.relu:
            self.relu = True
        else:
            return False
        self.output = node.output[0]
        return True


class QuantisedBuilder:
    """The network in oneDNN's quantised operators: unsigned activations after a ReLU, signed ones elsewhere, filters by
    channel. `ranges` has the largest magnitude of each value of the ONNX graph."""

    def __init__(self, network, ranges):
        self.network, self.ranges = network, ranges
        self.values, self.signed = {}, {}

    def constant(self, value, name):
        return tf.constant(np.float32(value), name=name)

    def limits(self, value, signed, name):
        most = max(self.ranges[value], 1e-3)
        return self.constant(-most if signed else 0, name + "/min"), self.constant(most, name + "/max")

    def build(self):
        net = self.network
        x = tf.compat.v1.placeholder(tf.float32, [None] + net.image, name="input")
        low, high = self.limits(net.input.name, True, "input/range")
        # Without narrow_range TensorFlow reports a range of 128 steps that its convolutions then take for 127; its
        # kernel for HALF_TO_EVEN is one step off for half of the negative numbers.
        self.values[net.input.name] = tuple(raw.QuantizeV2(
            input=x, min_range=low, max_range=high, T=tf.qint8, mode="SCALED", round_mode="HALF_AWAY_FROM_ZERO",
            narrow_range=True, name="input/bytes"))
        self.signed[net.input.name] = True
        pending = list(self.layers_and_others())
        y = None
        while pending:  # a layer with a summand waits for it
            ready = next(p for p in pending if all(i in self.values for i in self.needs(p)))
            pending.remove(ready)
            if isinstance(ready, Layer):
                y = self.product(ready) if ready.product else self.convolution(ready)
            else:
                y = self.other(ready)
        return y.op.name

    def layers_and_others(self):
        taken, added = set(), set()
        for node in self.network.nodes:
            if node.output[0] in taken:
                continue
            if node.op_type in ("Conv", "Gemm"):
                layer = Layer(self.network, node, added)
                value = node.output[0]
                while value != layer.output:
                    value = self.network.readers(value)[0].output[0]
                    taken.add(value)
                yield layer
            else:
                yield node

    @staticmethod
    def needs(item):
        if isinstance(item, Layer):
            return [item.node.input[0]] + ([item.summand] if item.summand else [])
        return [item.input[0]]

    def bytes_of(self, weights, axis):
        axes = tuple(i for i in range(weights.ndim) if i != axis)
        most = np.maximum(np.abs(weights).max(axis=axes), 1e-6).astype(np.float32)
        shape = [-1 if i == axis else 1 for i in range(weights.ndim)]
        return np.clip(np.rint(weights / most.reshape(shape) * 127), -127, 127).astype(np.int8), most

    def convolution(self, layer):
        name, attrs = name_of(layer.node), attributes(layer.node)
        x, x_min, x_max = self.values[layer.node.input[0]]
        kernel, strides = list(layer.weights.shape[2:]), list(attrs.get("strides", [1, 1]))
        depthwise = attrs.get("group", 1) > 1
        padding = padding_of(attrs, x.shape[1:3].as_list(), kernel)
        padding_list = []
        if not isinstance(padding, str):
            top, left, bottom, right = padding
            padding_list, padding = [0, 0, top, bottom, left, right, 0, 0], "VALID"
        bytes_, most = self.bytes_of(layer.weights, 0)
        filters = np.transpose(bytes_, (2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
        signed = not layer.relu
        if layer.summand and self.signed[layer.summand]:
            self.ranges[layer.output] *= 2  # TensorFlow 2.15's kernel stops at half of the range here
        out_min, out_max = self.limits(layer.output, signed, name + "/out")
        arguments = dict(
            input=x, filter=quantised_constant(filters, tf.qint8, name + "/filters"),
            bias=tf.constant(layer.bias, name=name + "/bias"), min_input=x_min, max_input=x_max,
            min_filter=tf.constant(-most, name=name + "/min_filter"),
            max_filter=tf.constant(most, name=name + "/max_filter"),
            min_freezed_output=out_min, max_freezed_output=out_max, out_type=tf.qint8 if signed else tf.quint8,
            strides=[1, strides[0], strides[1], 1], padding=padding, padding_list=padding_list, name=name)
        if depthwise:
            op = raw.QuantizedDepthwiseConv2DWithBiasAndReluAndRequantize
        elif layer.summand:
            summand, s_min, s_max = self.values[layer.summand]
            arguments.update(summand=summand, min_summand=s_min, max_summand=s_max)
            op = (raw.QuantizedConv2DWithBiasSignedSumAndReluAndRequantize if self.signed[layer.summand]
                  else raw.QuantizedConv2DWithBiasSumAndReluAndRequantize)
        else:
            op = (raw.QuantizedConv2DWithBiasAndReluAndRequantize if layer.relu
                  else raw.QuantizedConv2DWithBiasAndRequantize)
        y = tuple(op(**arguments))
        self.values[layer.output], self.signed[layer.output] = y, signed
        return y[0]

    def product(self, layer):
        """The classifier in floats, as published int8 graphs have it."""
        name = name_of(layer.node)
        x = self.values[layer.node.input[0]]
        y = tf.nn.bias_add(tf.matmul(x, tf.constant(layer.weights, name=name + "/weights"), name=name),
                           tf.constant(layer.bias, name=name + "/bias"), name=name + "/add")
        self.values[layer.output] = y
        return y

    def other(self, node):
        name, value = name_of(node), self.values[node.input[0]]
        if node.op_type == "MaxPool":
            attrs = attributes(node)
            y = tuple(raw.QuantizedMaxPool(input=value[0], min_input=value[1], max_input=value[2],
                                           ksize=[1, *attrs["kernel_shape"], 1], strides=[1, *attrs["strides"], 1],
                                           padding=self.pool_padding(attrs, value[0]), name=name))
            self.signed[node.output[0]] = self.signed[node.input[0]]
        elif node.op_type == "GlobalAveragePool":
            y = tuple(raw.QuantizedAvgPool(input=value[0], min_input=value[1], max_input=value[2],
                                           ksize=[1, *value[0].shape[1:3].as_list(), 1], strides=[1, 1, 1, 1],
                                           padding="VALID", name=name))
            self.signed[node.output[0]] = self.signed[node.input[0]]
        elif node.op_type == "Flatten":
            real = raw.Dequantize(input=value[0], min_range=value[1], max_range=value[2], mode="SCALED",
                                  name=name + "/real")
            y = tf.squeeze(real, [1, 2], name=name)
        elif node.op_type == "Softmax":
            y = tf.nn.softmax(value, name=name)
        else:
            raise NotImplementedError(node.op_type)
        self.values[node.output[0]] = y
        return y[0] if isinstance(y, tuple) else y

    @staticmethod
    def pool_padding(attrs, x):
        padding = padding_of(attrs, x.shape[1:3].as_list(), attrs["kernel_shape"])
        # Pads of ONNX's pools that TensorFlow's cannot say are approximated: the same network, one pixel moved.
        return padding if isinstance(padding, str) else "SAME"


def quantised_constant(array, dtype, name):
    """A Const of a quantised type, whose elements are those of `array`."""
    proto = tf.make_tensor_proto(array)
    proto.dtype = dtype.as_datatype_enum
    graph = tf.compat.v1.get_default_graph()
    node = graph.create_op("Const", [], [dtype], name=name, attrs={
        "value": tf.compat.v1.AttrValue(tensor=proto), "dtype": tf.compat.v1.AttrValue(type=dtype.as_datatype_enum)})
    return node.outputs[0]


def run(graph_def, images, outputs):
    """What TensorFlow computes, one image at a time."""
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            done = [session.run([f"{o}:0" if ":" not in o else o for o in outputs], {"input:0": image[None]})
                    for image in images]
    return [np.concatenate(column) for column in zip(*done)]


def calibrate(network, images):
    """The largest magnitude of each value of the network over the images."""
    with tf.Graph().as_default() as graph:
        builder = FloatBuilder(network)
        builder.build()
        names = list(builder.values)
        with tf.compat.v1.Session(graph=graph) as session:
            most = np.zeros(len(names))
            for image in images:
                values = session.run([builder.values[n] for n in names], {"input:0": image[None]})
                most = np.maximum(most, [np.abs(v).max() for v in values])
    return dict(zip(names, most.tolist()))


def make(model, kind="plain", images=None):
    """The GraphDef and the name of its output."""
    network = Network(model)
    ranges = calibrate(network, images) if kind == "int8" else None
    with tf.Graph().as_default() as graph:
        builder = QuantisedBuilder(network, ranges) if kind == "int8" else FloatBuilder(network, kind == "leftovers")
        output = builder.build()
        return graph.as_graph_def(), output


def resnet_images(folder, count=16):
    """The first photographs of a folder: short side to 256, centre of 224, normalised."""
    images = []
    for path in sorted(Path(folder).iterdir())[:count]:
        image = tf.io.decode_jpeg(path.read_bytes(), channels=3)
        scale = 256 / min(image.shape[:2])
        image = tf.image.resize(image, [round(extent * scale) for extent in image.shape[:2]], antialias=True).numpy()
        y, x = ((extent - 224) // 2 for extent in image.shape[:2])
        images.append((image[y:y + 224, x:x + 224] - np.float32([123.675, 116.28, 103.53])) / np.float32([58.395, 57.12, 57.375]))
    return np.stack(images)


def calibration_images(path):
    return resnet_images(path) if Path(path).is_dir() else np.load(path)


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    kind = sys.argv[3] if len(sys.argv) > 3 else "plain"
    images = calibration_images(sys.argv[4]) if len(sys.argv) > 4 else None
    graph, output = make(sys.argv[1], kind, images)
    Path(sys.argv[2]).write_bytes(graph.SerializeToString())
    print(f"{sys.argv[2]}: {len(graph.node)} nodes, output {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
