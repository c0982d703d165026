"""The shared models classify as the reference does, image by image, on fixed subsets of the validation sample.

Usage: accuracy_test.py PATH_OF_FOVEA. The reference CSV files of the test data hold ONNX Runtime's best five classes of
every image. fp32 networks must agree in the top class of every image but one in a hundred (near-ties). Networks in QDQ
form run with exact QDQ semantics, but in floats: where a sum falls within a rounding error of the middle of a quantisation
step, two right implementations differ by that step, and the few classes of a near-tie change places. They may differ in
more images, but not in accuracy.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = sys.argv[1]
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")

# model, its reference file, images, side of the crop, images that may differ
CASES = [
    ("mobilenet-v1-0.25-128", "mobilenet_v1_0.25_128_fp32", 300, 224, 2),
    ("mobilenet-v1", "mobilenet_v1_1.0_224_fp32", 60, 224, 1),
    ("mobilenet-v2", "mobilenet_v2_1.0_224_fp32", 60, 224, 1),
    ("mobilenet-v3-small", "mobilenet_v3_small_1.0_224_fp32", 100, 224, 1),
    ("squeezenet", "squeezenet_v1.1_fp32", 60, 227, 1),
    ("resnet18", "resnet18_fp32", 40, 224, 1),
    ("resnet50", "resnet50_v1.5_fp32", 24, 224, 1),
    ("mobilenet-v1-0.25-128-qdq", "mobilenet_v1_0.25_128_qdq", 200, 224, 14),
    ("mobilenet-v2-qdq", "mobilenet_v2_1.0_224_qdq", 60, 224, 3),
    ("mobilenet-v3-small-qdq", "mobilenet_v3_small_1.0_224_qdq", 60, 224, 14),
]


HITS_MAY_DIFFER_BY = 3


def reference_answers(stem):
    """Top class and label of every image, by file name."""
    with (DATA / "reference" / "classification" / f"{stem}.val.csv").open() as file:
        return {row["file"]: (int(row["top1"]), int(row["label"])) for row in csv.DictReader(file)}


def answers(model, images, crop, predictions):
    command = [PROGRAM, "eval", "--model", model, "--data", str(DATA / "imagenet-sample" / "val"),
               "--map", str(DATA / "imagenet-sample" / "val_map.txt"), "--resize", "none", "--crop", str(crop),
               "--limit", str(images), "--predictions", str(predictions), "--json", "--quiet"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if result.returncode != 0:
        raise RuntimeError(f"exit {result.returncode}: {result.stderr.strip()}")
    with predictions.open() as file:
        return json.loads(result.stdout), {Path(row["path"]).name: int(row["top1"]) for row in csv.DictReader(file)}


def main():
    if not (DATA / "models").exists():
        print(f"SKIPPED: no test data at {DATA}; set FOVEA_TEST_DATA", file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else 0
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for model, stem, images, crop, allowed in CASES:
            record, ours = answers(model, images, crop, Path(folder) / "predictions.csv")
            reference = reference_answers(stem)
            different = [name for name, top in ours.items() if reference[name][0] != top]
            hits = sum(reference[name][0] == reference[name][1] for name in ours)
            good = (len(ours) == images and len(different) <= allowed
                    and abs(record["top1_hits"] - hits) <= HITS_MAY_DIFFER_BY)
            verdict = "ok" if good else "FAILED"
            failures += verdict != "ok"
            print(f"{verdict}: {model}: top-1 {record['top1']:.2f} % of {images}, reference {100 * hits / images:.2f} %, "
                  f"{len(different)} answers differ (allowed {allowed}) {different[:3]}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
