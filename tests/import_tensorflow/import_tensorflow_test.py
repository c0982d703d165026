#!/usr/bin/env python3
"""Graphs that TensorFlow makes are imported and computed; the results are compared with TensorFlow's own and with the
golden outputs of the ONNX files that the weights are from.

usage: import_tensorflow_test.py RUN_GRAPH FOVEA PYTHON [TEST...]
RUN_GRAPH is the program run_graph. PYTHON is an interpreter with tensorflow and onnx; without it, or without the test
data, the check is skipped with exit code 77, saying so.
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SKIPPED = 77
REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or REPOSITORY.parent / "shared" / "data")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def in_other_interpreter(python):
    if not Path(python).exists():
        skip(f"{python} does not exist; tools/setup/make_venv.sh makes it from tools/setup/requirements-tensorflow.txt")
    os.execv(python, [python, __file__, *sys.argv[1:], "--here"])


RUN_GRAPH, FOVEA, PYTHON = sys.argv[1:4]
if sys.argv[-1] != "--here":
    if not (DATA / "models").is_dir():
        skip(f"{DATA} does not exist (FOVEA_TEST_DATA)")
    in_other_interpreter(PYTHON)

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import make_graphs
from make_graphs import raw, tf

FOLDER = tempfile.TemporaryDirectory()


def computed(model, images, name, *flags):
    """What Fovea computes for the images (float NHWC) with a file."""
    input_, prefix = (os.path.join(FOLDER.name, name + e) for e in (".npy", "-out"))
    np.save(input_, images.astype(np.float32))
    done = subprocess.run([RUN_GRAPH, *flags, model, input_, prefix], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{name}: {done.stderr}")
    outputs = []
    while os.path.exists(f"{prefix}{len(outputs)}.npy"):
        outputs.append(np.load(f"{prefix}{len(outputs)}.npy"))
    return outputs


def imported(graph, images, name, *flags):
    model = Path(FOLDER.name) / (name + ".pb")
    model.write_bytes(graph if isinstance(graph, bytes) else graph.SerializeToString())
    return computed(model, images, name, *flags)


def golden_images(size, mean, std):
    pixels = np.load(DATA / "golden" / f"input_u8_nhwc_{size}.npy")
    return ((pixels.astype(np.float32) - np.float32(mean)) / np.float32(std)).astype(np.float32)


def golden_output(model, output):
    return np.load(DATA / "golden" / f"{model}.{output}.npy")


def cifar_images(count):
    lines = (DATA / "cifar10-jpeg" / "test_map.txt").read_text().split("\n")[:count]
    folder = DATA / "cifar10-jpeg"
    names = [line.split()[0] for line in lines]
    files = [next(p for p in (folder / n, folder / "test" / n) if p.exists()) for n in names]
    return np.stack([tf.io.decode_jpeg(f.read_bytes(), channels=3).numpy() for f in files]).astype(np.float32)


def largest_error(found, expected):
    """Relative to the largest expected value."""
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


class Networks(unittest.TestCase):
    """Published classifiers as GraphDefs: the same numbers as the ONNX files."""

    def check(self, model, size, mean, std, output, kinds, file=None):
        images = golden_images(size, mean, std)
        expected = golden_output(model, output)
        path = DATA / "models" / (file or model + ".onnx")
        for kind in kinds:
            with self.subTest(model=model, kind=kind):
                graph, _ = make_graphs.make(path, kind)
                found = imported(graph, images, f"{model}-{kind}")
                self.assertLess(largest_error(found[0], expected), 1e-4)
                if kind == "leftovers":  # the scores first, then the classes
                    np.testing.assert_array_equal(found[1], expected.argmax(axis=1))

    def test_mobilenet_v1_small(self):
        self.check("mobilenet_v1_0.25_128_fp32", 128, 127.5, 127.5, "prob", ["plain", "leftovers"])

    def test_mobilenet_v1(self):
        self.check("mobilenet_v1_1.0_224_fp32", 224, 127.5, 127.5, "prob", ["plain"],
                   "mobilenet_v1_1.0_224_fp32.onnx.gz")

    def test_resnet50(self):
        self.check("resnet50_v1.5_fp32", 224, [123.675, 116.28, 103.53], [58.395, 57.12, 57.375], "logits",
                   ["leftovers"], "resnet50_v1.5_fp32.onnx.gz")

    def test_efficientnet_lite0(self):
        if not list((REPOSITORY / "build" / "models").glob("efficientnet-lite0-*.pth")):
            self.skipTest("build/models has no efficientnet-lite0 (tools/fetch_efficientnet_lite0.sh)")
        converted = Path(FOLDER.name) / "lite0.onnx"
        subprocess.run([FOVEA, "convert", "efficientnet-lite0", "--to", converted, "--quiet"], check=True, capture_output=True,
                       cwd=REPOSITORY)
        images = golden_images(224, 127, 128)
        graph, output = make_graphs.make(converted)
        found = imported(graph, images, "lite0")[0]
        self.assertEqual(found.shape, (len(images), 1000))
        self.assertLess(largest_error(found, make_graphs.run(graph, images, [output])[0]), 1e-4)
        self.assertLess(largest_error(found, computed(converted, images, "lite0-onnx")[0]), 1e-4)

    def test_file_order_is_kept_on_request(self):
        graph, _ = make_graphs.make(DATA / "models" / "mobilenet_v1_0.25_128_fp32.onnx")
        images = golden_images(128, 127.5, 127.5)[:1]
        found = imported(graph, images, "nhwc", "--file-order")[0]
        self.assertLess(largest_error(found, golden_output("mobilenet_v1_0.25_128_fp32", "prob")[:1]), 1e-4)


class Quantised(unittest.TestCase):
    """oneDNN's quantised operators: the same answers as TensorFlow's own kernels."""

    def check(self, model, images, calibration, least_equal):
        graph, output = make_graphs.make(DATA / "models" / model, "int8", calibration)
        expected = make_graphs.run(graph, images, [output])[0]
        plan = imported(graph, images, model + "-int8")[0]
        same = int((plan.argmax(axis=1) == expected.argmax(axis=1)).sum())
        print(f"{model} int8: {same} of {len(images)} answers as TensorFlow's, "
              f"largest difference {np.abs(plan - expected).max():.4f}")
        self.assertGreaterEqual(same, least_equal)
        self.assertLess(np.abs(plan - expected).max(), 0.1)

    def test_resnet8(self):
        images = cifar_images(66)
        self.check("cifar10_resnet8_fp32.onnx", images[16:], images[:16], 50)

    def test_mobilenet_v1_small(self):
        images = golden_images(128, 127.5, 127.5)
        self.check("mobilenet_v1_0.25_128_fp32.onnx", images, images, 3)


class Operators(unittest.TestCase):
    """Single operators with odd attributes, many in one graph, against TensorFlow."""

    def compare(self, build, shape, tolerance=1e-5, seed=1):
        images = np.random.default_rng(seed).normal(size=(2, *shape)).astype(np.float32)
        with tf.Graph().as_default() as graph:
            x = tf.compat.v1.placeholder(tf.float32, [None, *shape], name="input")
            outputs = [tf.identity(y, name=f"out_{i}").op.name for i, y in enumerate(build(x))]
            definition = graph.as_graph_def()
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(definition, name="")
            with tf.compat.v1.Session(graph=graph) as session:
                expected = session.run([o + ":0" for o in outputs], {"input:0": images})
        found = imported(definition, images, self.id().split(".")[-1])
        self.assertEqual(len(found), len(expected))
        for name, e, f in zip(outputs, expected, found):
            with self.subTest(output=name):
                self.assertEqual(e.shape, f.shape)
                self.assertLess(largest_error(f, e), tolerance)

    def test_resampling_and_blocks(self):
        def build(x):
            x = tf.nn.max_pool2d(x, 1, 1, "VALID")
            for corners, centers in ((False, False), (True, False), (False, True)):
                yield raw.ResizeBilinear(images=x, size=[5, 13], align_corners=corners, half_pixel_centers=centers)
                yield raw.ResizeNearestNeighbor(images=x, size=[5, 13], align_corners=corners,
                                                half_pixel_centers=centers)
            yield raw.SpaceToDepth(input=x, block_size=2)
            yield raw.DepthToSpace(input=x, block_size=2)
            yield raw.MirrorPad(input=x, paddings=[[0, 0], [1, 2], [3, 0], [0, 0]], mode="REFLECT")
            yield raw.PadV2(input=x, paddings=[[0, 0], [1, 2], [3, 0], [0, 1]], constant_values=2.5)
            yield raw.LRN(input=x, depth_radius=2, bias=1.5, alpha=0.3, beta=0.75)

        self.compare(build, (8, 6, 8))

    def test_windows(self):
        random = np.random.default_rng(3)
        filters = random.normal(size=(3, 2, 4, 6)).astype(np.float32)
        depthwise = random.normal(size=(3, 3, 4, 2)).astype(np.float32)

        def build(x):
            for strides, dilations, padding in ((1, 1, "SAME"), (2, 1, "SAME"), (3, 1, "VALID"), (1, 2, "SAME"),
                                                (1, 3, "VALID")):
                yield tf.nn.conv2d(x, filters, strides, padding, dilations=dilations)
            yield tf.nn.conv2d(x, filters, [1, 2, 1, 1], [[0, 0], [2, 1], [0, 3], [0, 0]])
            yield tf.nn.depthwise_conv2d(x, depthwise, [1, 2, 2, 1], "SAME")
            yield tf.nn.avg_pool2d(x, 3, 2, "SAME")
            yield tf.nn.avg_pool2d(x, [2, 3], [1, 2], "VALID")
            yield tf.nn.max_pool2d(x, 3, 2, "SAME")

        self.compare(build, (9, 8, 4))

    def test_axes(self):
        def build(x):
            x = tf.nn.max_pool2d(x, 1, 1, "VALID")
            for axes in ([1, 2], [1], [3], [-1, 1], [0, 1, 2, 3], [1, 2, 3]):
                yield tf.reduce_mean(x, axes)
                yield tf.reduce_max(x, axes, keepdims=True)
            yield tf.nn.softmax(x)
            yield tf.concat([x, x * 2], 2)
            yield tf.transpose(x, [0, 3, 1, 2])
            yield tf.transpose(x, [0, 2, 1, 3])
            yield x[:, 1:, ::-1, 2]
            yield x[:, :-1, 2:5:2, 1:]
            yield x[:, tf.newaxis, 0, :, 1]
            yield tf.reshape(x, [-1, 6])
            yield tf.reshape(x, [tf.shape(x)[0], tf.reduce_prod(tf.shape(x)[1:])])
            yield tf.expand_dims(x, 1)
            yield tf.stack([x, x + 1], axis=2)
            yield tf.argmax(x, 3, output_type=tf.int32)  # integers come last
            yield tf.argmax(x, 1)

        self.compare(build, (5, 6, 3))

    def test_element_wise(self):
        def build(x):
            image = tf.nn.avg_pool2d(x, 1, 1, "VALID")
            row = tf.constant([1.0, -2.0, 3.0])
            yield image + row
            yield row - image
            yield image * tf.reshape(row, [1, 1, 1, 3])
            yield image / (tf.reduce_mean(tf.abs(image), [1, 2], keepdims=True) + 1)
            yield tf.maximum(image, tf.constant(np.arange(5, dtype=np.float32).reshape(5, 1, 1)))
            yield image * tf.nn.relu6(image + 3) / 6
            yield tf.nn.leaky_relu(image, 0.1)
            yield tf.math.squared_difference(image, x)
            yield tf.add_n([image, x, image])
            yield tf.math.rsqrt(tf.square(image) + 1)
            yield tf.cast(tf.cast(image, tf.bfloat16), tf.float32) * 0
            yield tf.nn.elu(image) + tf.sigmoid(image) + tf.tanh(image) + tf.nn.softplus(image)
            yield tf.quantization.fake_quant_with_min_max_vars(image, -1.5, 2.0)

        self.compare(build, (5, 4, 3), tolerance=1e-5)


class Program(unittest.TestCase):
    """The program's commands on a GraphDef."""

    @classmethod
    def setUpClass(cls):
        graph, _ = make_graphs.make(DATA / "models" / "mobilenet_v1_0.25_128_fp32.onnx", "leftovers")
        cls.model = os.path.join(FOLDER.name, "program.pb")
        Path(cls.model).write_bytes(graph.SerializeToString())

    def fovea(self, *arguments):
        return subprocess.run([FOVEA, *map(str, arguments)], capture_output=True, text=True)

    def test_commands(self):
        image = next((DATA / "imagenet-sample" / "val").glob("*"))
        onnx_file = os.path.join(FOLDER.name, "converted.onnx")
        for arguments in (("inspect", self.model), ("classify", "-m", self.model, image),
                          ("convert", self.model, "-o", onnx_file), ("inspect", onnx_file),
                          ("bench", "-m", self.model, "--seconds", "0.1", "--threads", "1")):
            done = self.fovea(*arguments)
            busy = (7,) if arguments[0] == "bench" else ()  # a verdict on the machine, not on the graph
            self.assertIn(done.returncode, (0, *busy), f"{arguments}: {done.stderr}")

    def test_cuts_and_errors(self):
        done = self.fovea("inspect", self.model, "--output-nodes", "logits_or_scores", "--input-nodes", "after_init")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("classes", done.stdout)
        done = self.fovea("inspect", self.model, "--output-nodes", "nobody")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("there is no node called nobody", done.stderr)
        done = self.fovea("inspect", DATA / "models" / "mobilenet_v1_0.25_128_fp32.onnx", "--input-nodes", "x")
        self.assertEqual(done.returncode, 2, done.stderr)


if __name__ == "__main__":
    sys.argv = [sys.argv[0], *[a for a in sys.argv[4:] if a != "--here"]]
    unittest.main(verbosity=2)
