"""The photographs that a network is calibrated with: what prepare_int8.py left in a folder."""

import json
from pathlib import Path

import numpy as np


def normalised(pixels, rules):
    """u8 [N,H,W,C] to what the network gets: f32 [N,C,H,W]."""
    values = (pixels.astype(np.float32) - np.float32(rules["mean"])) / np.float32(rules["std"])
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def images(folder, count=None):
    """Yields f32 [1,C,H,W], in order, at most `count`."""
    rules = json.loads((Path(folder) / "rules.json").read_text(encoding="utf-8"))
    pixels = np.load(Path(folder) / "pixels.npy")[:count]
    for i in range(len(pixels)):
        yield normalised(pixels[i : i + 1], rules)
