"""Makes what an int8 case needs; runs in the engines' Python environment, one JSON request on standard input.

"pixels": photographs cut to the network's size, as u8 [N,H,W,C] in the network's order of channels. "inputs": f32 files
of the first of them, batch by batch. "quantise": a QDQ file by ONNX Runtime's own quantiser with per-channel s8 weights,
u8 activations and min-max ranges over all pixels.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent / "engines"))
from calibration import normalised  # noqa: E402

EXTENSIONS = (".jpg", ".jpeg", ".png")


def cut(image, rules):
    from PIL import Image

    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    rule, size = rules["resize"]
    width, height = image.size
    if rule == "shorter":
        target = (size, int(size * height / width)) if width <= height else (int(size * width / height), size)
    else:
        target = (size, size)
    if target != image.size:
        image = image.resize(target, filters[rules["filter"]])
    left, top = (image.size[0] - rules["crop"]) // 2, (image.size[1] - rules["crop"]) // 2
    pixels = np.asarray(image.crop((left, top, left + rules["crop"], top + rules["crop"])))
    return pixels[..., ::-1] if rules["bgr"] else pixels


def make_pixels(request):
    from PIL import Image

    files = sorted(p for p in Path(request["images"]).rglob("*") if p.suffix.lower() in EXTENSIONS)[: request["count"]]
    if not files:
        raise SystemExit(f"{request['images']}: no photographs")
    pixels = np.stack([cut(Image.open(f).convert("RGB"), request["rules"]) for f in files])
    np.save(request["output"], np.ascontiguousarray(pixels))


def make_inputs(request):
    """File k holds images k*batch, k*batch + 1 and so on, beginning anew after `count`."""
    images = normalised(np.load(request["pixels"])[: request["count"]], request["rules"])
    batch, files = request["batch"], []
    for first in range(0, len(images), batch):
        files.append(f"{request['output']}{len(files)}.f32")
        np.stack([images[(first + i) % len(images)] for i in range(batch)]).astype("<f4").tofile(files[-1])


def quantise(request):
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    onnxruntime.set_default_logger_severity(3)
    pixels, rules = np.load(request["pixels"]), request["rules"]
    name = onnxruntime.InferenceSession(request["model"], providers=["CPUExecutionProvider"]).get_inputs()[0].name

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.next = 0

        def get_next(self):
            self.next += 1
            return {name: normalised(pixels[self.next - 1 : self.next], rules)} if self.next <= len(pixels) else None

    folded = request["output"] + ".folded.onnx"
    quant_pre_process(request["model"], folded)
    options = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8, "per_channel": True, "reduce_range": False}
    quantize_static(folded, request["output"] + ".part", Reader(), QuantFormat.QDQ, calibrate_method=CalibrationMethod.MinMax, **options)
    os.remove(folded)
    os.replace(request["output"] + ".part", request["output"])


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    {"pixels": make_pixels, "inputs": make_inputs, "quantise": quantise}[asked["op"]](asked)
