#!/usr/bin/env python3
"""What Pillow and OpenCV themselves make of an image: the reference that src/data is tested against.

  image_reference.py answer    reads requests, a line each with tabs between the fields, and prints the SHA-256 of the
                               resulting RGB bytes, "error ..." or "skip ..."; src/data/live_reference_test.cpp asks
                                 resize SEED WIDTH HEIGHT NEW_WIDTH NEW_HEIGHT METHOD
                                 decode PATH
                                 photo PATH RESIZE METHOD CROP
                               RESIZE is none, exact:WxH or shorter:N; CROP is 0 or a side
  image_reference.py pil       prints rows of src/data/resize_golden.inc: of "pil" under Pillow 12, of "pil13" under 13
  image_reference.py opencv    prints its rows of OpenCV
  image_reference.py tf        prints its rows of TensorFlow, whose hashes are of float32 values
  image_reference.py decode    prints src/data/decode_golden.inc

Pillow 13 began to resize some images vertically first, which moves values by one; up to Pillow 12 it is always
horizontally first. Both orders are methods of ours ("pil" and "pil13"), so the table has rows from both versions.

Needs numpy, pillow and opencv-python-headless from PyPI. The committed tables were made with numpy 2.4.6, pillow 12.1.0
and 13.0.0 (libjpeg-turbo 3.2.0), opencv-python-headless 5.0.0.93 (4.11.0.86 gives the same) and tensorflow-cpu 2.21.0.
"""

import hashlib
import io
import sys

import PIL
import numpy as np
from PIL import Image

try:
    import cv2
except ImportError:
    cv2 = None

IS_PILLOW_13 = int(PIL.__version__.split(".")[0]) >= 13
PIL_METHODS = {
    "pil": Image.Resampling.BILINEAR,
    "pil-bicubic": Image.Resampling.BICUBIC,
    "pil13": Image.Resampling.BILINEAR,
    "pil13-bicubic": Image.Resampling.BICUBIC,
}
OPENCV_METHODS = ("opencv", "opencv-area")
TF_METHODS = ("tf", "tf-legacy")


def noise(seed, width, height):
    """RGB noise: the upper byte of successive SplitMix64 numbers, as base/rng.h makes them."""
    with np.errstate(over="ignore"):
        steps = np.arange(1, width * height * 3 + 1, dtype=np.uint64)
        z = np.uint64(seed) + steps * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(56)).astype(np.uint8).reshape(height, width, 3)


def resize(pixels, width, height, method):
    if method in PIL_METHODS:
        old_height, old_width = pixels.shape[:2]
        vertical_first = old_height > height and old_height - height > 2 * (old_width - width)
        if vertical_first and method.startswith("pil13") != IS_PILLOW_13:
            return None
        return np.asarray(Image.fromarray(pixels).resize((width, height), PIL_METHODS[method]))
    if method in OPENCV_METHODS:
        if cv2 is None:
            return None
        flag = cv2.INTER_LINEAR if method == "opencv" else cv2.INTER_AREA
        return cv2.resize(pixels, (width, height), interpolation=flag)
    if method in TF_METHODS:
        import tensorflow as tf  # large, and asked for by one mode only

        size, half_pixel = [height, width], method == "tf"
        return tf.raw_ops.ResizeBilinear(images=pixels[None], size=size, half_pixel_centers=half_pixel).numpy()
    raise ValueError(f"unknown method {method}")


def sha256(pixels):
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def decode(source):
    with Image.open(source) as image:
        return np.asarray(image.convert("RGB"))


def photo(path, rule, method, crop):
    pixels = decode(path)
    height, width = pixels.shape[:2]
    if rule.startswith("shorter:"):
        side = int(rule.split(":")[1])
        if width <= height:
            size = (side, int(side * height / width))
        else:
            size = (int(side * width / height), side)
        pixels = resize(pixels, *size, method)
    elif rule.startswith("exact:"):
        pixels = resize(pixels, *map(int, rule.split(":")[1].split("x")), method)
    if pixels is not None and crop:
        top, left = int((pixels.shape[0] - crop) / 2), int((pixels.shape[1] - crop) / 2)
        pixels = pixels[top : top + crop, left : left + crop]
    return pixels


def answer(line):
    kind, *rest = line.split("\t")
    if kind == "resize":
        seed, width, height, new_width, new_height = map(int, rest[:5])
        pixels = resize(noise(seed, width, height), new_width, new_height, rest[5])
    elif kind == "decode":
        pixels = decode(rest[0])
    elif kind == "photo":
        pixels = photo(rest[0], rest[1], rest[2], int(rest[3]))
    else:
        raise ValueError(f"unknown request {kind}")
    return "skip not in this version" if pixels is None else sha256(pixels)


# Shrinking, enlarging, both at once, whole ratios, one-pixel sides, and the sizes of real pipelines.
SIZES = [
    (500, 375, 341, 256), (375, 500, 256, 341), (227, 227, 224, 224), (224, 224, 128, 128), (299, 299, 224, 224),
    (640, 480, 341, 256), (512, 512, 256, 256), (96, 64, 32, 16), (90, 60, 30, 20), (33, 17, 224, 224),
    (1, 1, 7, 5), (7, 5, 1, 1), (1, 40, 3, 20), (40, 1, 20, 3), (100, 30, 30, 100), (31, 97, 62, 33),
    (64, 64, 65, 63), (5, 3, 5, 9), (9, 3, 4, 3), (1000, 2, 3, 2),
]


def print_resize_golden(methods):
    print("// {seed, width, height, new width, new height, method, SHA-256 of the RGB bytes}")
    for number, (width, height, new_width, new_height) in enumerate(SIZES):
        for method in methods:
            digest = sha256(resize(noise(number, width, height), new_width, new_height, method))
            print(f'{{{number}, {width}, {height}, {new_width}, {new_height}, "{method}",\n "{digest}"}},')


def smooth(width, height, channels):
    """Gradients and an edge: compresses to little, yet exercises chroma enlarging."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 255 // width, y * 255 // height, (x * 7 + y * 3) % 256, (x + y) * 3 % 200][:channels]
    pixels = np.stack(planes, axis=-1).astype(np.uint8)
    pixels[height // 3 : height // 2, width // 4 : width // 2] = 255 - pixels[0, 0]
    return pixels


def encodings():
    colour = Image.fromarray(smooth(37, 29, 3))
    grey = colour.convert("L")
    cmyk = Image.frombytes("CMYK", (37, 29), smooth(37, 29, 4).tobytes())
    alpha = Image.frombytes("RGBA", (37, 29), smooth(37, 29, 4).tobytes())
    yield "jpeg 4:4:4", colour, dict(format="JPEG", quality=90, subsampling=0)
    yield "jpeg 4:2:2", colour, dict(format="JPEG", quality=85, subsampling=1)
    yield "jpeg 4:2:0", colour, dict(format="JPEG", quality=75, subsampling=2)
    yield "jpeg 4:2:0 progressive", colour, dict(format="JPEG", quality=80, subsampling=2, progressive=True)
    yield "jpeg low quality", colour, dict(format="JPEG", quality=8, subsampling=2)
    yield "jpeg stored as rgb", colour, dict(format="JPEG", quality=90, keep_rgb=True)
    yield "jpeg grey", grey, dict(format="JPEG", quality=85)
    yield "jpeg cmyk", cmyk, dict(format="JPEG", quality=85)
    yield "png rgb", colour, dict(format="PNG")
    yield "png grey", grey, dict(format="PNG")
    yield "png 1 bit", colour.convert("1"), dict(format="PNG")
    yield "png palette", colour.convert("P", palette=Image.Palette.ADAPTIVE, colors=11), dict(format="PNG")
    yield "png palette with transparency", colour.convert("P", palette=Image.Palette.ADAPTIVE, colors=5), dict(
        format="PNG", transparency=2)
    yield "png rgb with transparent colour", colour, dict(format="PNG", transparency=(0, 0, 0))
    yield "png grey+alpha", alpha.convert("LA"), dict(format="PNG")
    yield "png rgb+alpha", alpha, dict(format="PNG")


def print_decode_golden():
    print("// Written by tools/golden/image_reference.py decode; see there for the versions. Not to be edited.")
    print("// {what, SHA-256 of the RGB bytes that Pillow decodes, the file in base64}")
    import base64

    for name, image, options in encodings():
        buffer = io.BytesIO()
        image.save(buffer, **options)
        text = base64.b64encode(buffer.getvalue()).decode()
        lines = "\n".join(f' "{text[i : i + 114]}"' for i in range(0, len(text), 114))
        print(f'{{"{name}", "{sha256(decode(io.BytesIO(buffer.getvalue())))}",\n{lines}}},')


def main():
    mode = sys.argv[1] if len(sys.argv) == 2 else ""
    if mode == "pil":
        print_resize_golden(["pil13", "pil13-bicubic"] if IS_PILLOW_13 else ["pil", "pil-bicubic"])
    elif mode == "opencv":
        print_resize_golden(OPENCV_METHODS)
    elif mode == "tf":
        print_resize_golden(TF_METHODS)
    elif mode == "decode":
        print_decode_golden()
    elif mode == "answer":
        for line in sys.stdin:
            try:
                print(answer(line.rstrip("\n")))
            except Exception as error:  # the caller compares refusals too
                print(f"error {type(error).__name__}: {error}".replace("\n", " "))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
