"""Converts an ONNX file for LiteRT: litert_convert.py <model.onnx> <batch> <calibration folder or nothing> <folder>
leaves net.tflite in the folder. onnx2tf makes a TensorFlow model, TensorFlow's own converter the file: in fp32, or in
int8 with weights per channel and ranges over photographs; inputs and outputs stay fp32.
"""

import os
import sys
from pathlib import Path

import calibration
import numpy as np
import onnx
from onnx import TensorProto, helper

# LiteRT finds its ranges with plain kernels, image by image: a quarter of the photographs are minutes for a large net.
CALIBRATION_IMAGES = 64
# onnx2tf looks for this file in the working folder before it tries to download it; it only probes shapes with it.
PROBE = "calibration_image_sample_data_20x128x128x3_float32.npy"


def pad_before_max_pools(model):
    """MaxPool's own padding becomes the least float in TensorFlow, whose int8 range is then useless. Behind a Relu a
    border of zeros is the same.
    """
    graph = model.graph
    positive = {node.output[0] for node in graph.node if node.op_type == "Relu"}
    for index, node in reversed(list(enumerate(graph.node))):
        pads = next((a for a in node.attribute if a.name == "pads"), None)
        if node.op_type != "MaxPool" or pads is None or node.input[0] not in positive:
            continue
        begin, end = pads.ints[:2], pads.ints[2:]
        widths = helper.make_tensor(f"{node.output[0]}.pads", TensorProto.INT64, [8], [0, 0, *begin, 0, 0, *end])
        graph.initializer.append(widths)
        padded = f"{node.output[0]}.padded"
        graph.node.insert(index, helper.make_node("Pad", [node.input[0], widths.name], [padded], name=padded))
        node.input[0] = padded
        node.attribute.remove(pads)


def fix_batch(source, batch, target):
    model = onnx.load(source)
    pad_before_max_pools(model)
    for port in [*model.graph.input, *model.graph.output]:
        port.type.tensor_type.shape.dim[0].dim_value = batch
    del model.graph.value_info[:]
    onnx.save(onnx.shape_inference.infer_shapes(model), target)


def photographs(folder, batch):
    images = [image[0].transpose(1, 2, 0) for image in calibration.images(folder, CALIBRATION_IMAGES)]
    for first in range(0, len(images), batch):
        yield [np.stack([images[(first + i) % len(images)] for i in range(batch)])]


def main(source, batch, photographs_folder, folder):
    batch, folder = int(batch), Path(folder)
    os.chdir(folder)
    np.save(PROBE, np.random.default_rng(1).random((20, 128, 128, 3), dtype=np.float32))
    fix_batch(source, batch, "fixed.onnx")

    import onnx2tf
    import tensorflow as tf

    onnx2tf.convert(input_onnx_file_path="fixed.onnx", output_folder_path="tensorflow", non_verbose=True)
    converter = tf.lite.TFLiteConverter.from_saved_model("tensorflow")
    if photographs_folder:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: photographs(photographs_folder, batch)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    (folder / "net.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main(*sys.argv[1:])
