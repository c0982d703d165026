"""How photographs become a network's input: the presets of src/data/preprocess_presets.cpp that the networks of
src/zoo/models use, as plain dictionaries, and which of them belongs to a model. Standard library only.
"""

import copy
import json
from pathlib import Path

MODELS = Path(__file__).resolve().parents[2] / "src" / "zoo" / "models"


def rgb(mean, std, filter="bilinear", resize=("shorter", 256), crop=224):
    return {"resize": list(resize), "filter": filter, "crop": crop, "bgr": False, "mean": mean, "std": std}


PRESETS = {
    "pil": rgb([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
    "mobilenet": rgb([127.5] * 3, [127.5] * 3),
    "efficientnet-lite": rgb([127.0] * 3, [128.0] * 3, filter="bicubic"),
    "caffe": {**rgb([104.0, 117.0, 123.0], [1.0] * 3, crop=227), "bgr": True},
    "cifar10": rgb([0.0] * 3, [1.0] * 3, resize=("exact", 32), crop=32),
}
# Networks that the catalogue does not hold, by the beginning of their file's name.
OUTSIDE = {
    "ssd_mobilenet": rgb([127.5] * 3, [127.5] * 3, resize=("exact", 300), crop=300),
    "yolox": {**rgb([0.0] * 3, [1.0] * 3, resize=("exact", 416), crop=416), "bgr": True},
}


def catalogue():
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(MODELS.glob("*.json"))]


def find_entry(model, entries=None):
    """The catalogue's entry of a name, an alias or one of its files; None if there is none."""
    name = Path(model).name
    for entry in catalogue() if entries is None else entries:
        if model in (entry["name"], *entry["aliases"]) or name in (f["name"] for f in entry["files"]):
            return entry
    return None


def entry_preprocess(entry):
    """The entry's preset with what differs from it; ValueError where this table does not know the words."""
    wanted = dict(entry["preprocess"])
    preset = wanted.pop("preset")
    if preset not in PRESETS:
        raise ValueError(f"{entry['name']}: pre-processing preset {preset} is not in bench/peers/preprocess.py")
    result = copy.deepcopy(PRESETS[preset])
    if "resize" in wanted:
        rule, _, size = wanted.pop("resize").partition(":")
        result["resize"] = [rule, int(size)]
    if "crop" in wanted:
        result["crop"] = int(wanted.pop("crop"))
    if wanted:
        raise ValueError(f"{entry['name']}: pre-processing keys {', '.join(wanted)} are not known to bench/peers/preprocess.py")
    return {"images": entry["dataset"], **result}


def of_model(model):
    """What the model wants, with "images", the kind of photographs; ValueError where nothing is known of the model."""
    entry = find_entry(model)
    if entry:
        return entry_preprocess(entry)
    for beginning, row in OUTSIDE.items():
        if Path(model).name.startswith(beginning):
            return {"images": "imagenet", **row}
    raise ValueError(f"{model}: not in the catalogue, so its pre-processing is unknown; add a row to bench/peers/preprocess.py")
