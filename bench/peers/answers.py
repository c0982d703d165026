"""Inputs that every engine gets, and whether their answers agree."""

import array
import math
import random

# Largest difference over the largest magnitude of the reference for fp32; root of the summed squares over that of the
# reference for lower precisions, whose single elements may be rounded away.
FP32_TOLERANCE = 1e-3
LOW_PRECISION_TOLERANCE = 0.08
INT8_TOLERANCE = 0.15  # of an image whose winning class is not the reference's


def write_input(path, shape, seed):
    """Raw little-endian f32 elements, uniform in [-1, 1), the same for the same seed on every machine."""
    rng = random.Random(seed)
    values = array.array("f", (rng.uniform(-1, 1) for _ in range(math.prod(shape))))
    with open(path, "wb") as file:
        values.tofile(file)


def read_values(path):
    values = array.array("f")
    with open(path, "rb") as file:
        values.frombytes(file.read())
    return values


def relative_rms(got, reference):
    if len(got) != len(reference) or not all(map(math.isfinite, got)):
        return math.inf
    error = math.fsum((a - b) ** 2 for a, b in zip(got, reference))
    return math.sqrt(error / max(math.fsum(b * b for b in reference), 1e-30))


def difference(got, reference, precision):
    """How far an answer is from the reference, in the measure that `tolerance` bounds; infinite where it is no answer."""
    if precision != "fp32":
        return relative_rms(got, reference)
    if len(got) != len(reference) or not all(map(math.isfinite, got)):
        return math.inf
    scale = max(map(abs, reference), default=0.0)
    return max((abs(a - b) for a, b in zip(got, reference)), default=0.0) / max(scale, 1e-30)


def tolerance(precision):
    return FP32_TOLERANCE if precision == "fp32" else LOW_PRECISION_TOLERANCE


def worst_difference(files, reference_files, precision):
    """The worst over all outputs of a model."""
    if len(files) != len(reference_files):
        return math.inf
    return max(difference(read_values(a), read_values(b), precision) for a, b in zip(files, reference_files))


def images_of(values, batch):
    size = len(values) // batch
    return [values[i * size : (i + 1) * size] for i in range(batch)]


def winner(values):
    return max(range(len(values)), key=values.__getitem__)


def compare_images(files, reference_files, shapes, batch):
    """One (same winner, worst relative RMS) for each image of a batch; the winner is None without an output of classes."""
    if len(files) != len(reference_files):
        return [(None, math.inf)] * batch
    images = [[True, 0.0] for _ in range(batch)]
    ranked = False
    for file, reference_file, shape in zip(files, reference_files, shapes):
        got, reference = read_values(file), read_values(reference_file)
        if len(got) != len(reference):
            return [(None, math.inf)] * batch
        for image, a, b in zip(images, images_of(got, batch), images_of(reference, batch)):
            image[1] = max(image[1], relative_rms(a, b))
            if len(shape) == 2:
                ranked = True
                image[0] = image[0] and winner(a) == winner(b)
    return [(same if ranked else None, rms) for same, rms in images]


def judge_images(compared):
    """The keys of a row, and why the answer is wrong or an empty text: an image must have the reference's winner or be
    within INT8_TOLERANCE of it."""
    row = {"difference": max(rms for _, rms in compared), "images_compared": len(compared)}
    if compared[0][0] is not None:
        row["same_top1"] = sum(bool(same) for same, _ in compared)
    wrong = [rms for same, rms in compared if not math.isfinite(rms) or (not same and rms > INT8_TOLERANCE)]
    if not wrong:
        return row, ""
    return row, f"WRONG ANSWER: {len(wrong)} of {len(compared)} images, differing by up to {max(wrong):.2g}, allowed {INT8_TOLERANCE}"
