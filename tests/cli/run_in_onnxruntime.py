"""Runs a MobileNet in ONNX Runtime on the images of a predictions file of `fovea eval` and compares the best classes.

Usage: run_in_onnxruntime.py MODEL FOLDER PREDICTIONS. The images are cut to 224x224 from their centre, reduced to the
network's input by Pillow, and scaled to -1..1. Exit code 1 if more than one image in twenty is answered differently.
"""

import csv
import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime
from PIL import Image


def prepared(path, side):
    image = Image.open(path).convert("RGB")
    left, top = (image.width - 224) // 2, (image.height - 224) // 2
    image = image.crop((left, top, left + 224, top + 224)).resize((side, side), Image.BILINEAR)
    return (numpy.asarray(image, "f4").transpose(2, 0, 1)[None] - 127.5) / 127.5


def main():
    model, folder, predictions = sys.argv[1:4]
    onnx.checker.check_model(onnx.load(model), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    with open(predictions, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    different = []
    for row in rows:
        name = Path(row["path"]).name
        scores = session.run(None, {port.name: prepared(Path(folder) / name, port.shape[2]).astype("f4")})[0].ravel()
        if int(numpy.argmax(scores[len(scores) - 1000:])) != int(row["top1"]):
            different.append(name)
    print(f"ONNX Runtime {onnxruntime.__version__}: {len(different)} of {len(rows)} answers differ {different}")
    sys.exit(1 if not rows or len(different) > len(rows) / 20 else 0)


if __name__ == "__main__":
    main()
