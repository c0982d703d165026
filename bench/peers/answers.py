"""Inputs that every engine gets, and whether their answers agree."""

import array
import math
import random

# Largest difference over the largest magnitude of the reference for fp32; root of the summed squares over that of the
# reference for lower precisions, whose single elements may be rounded away.
FP32_TOLERANCE = 1e-3
LOW_PRECISION_TOLERANCE = 0.08


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


def difference(got, reference, precision):
    """How far an answer is from the reference, in the measure that `tolerance` bounds; infinite where it is no answer."""
    if len(got) != len(reference):
        return math.inf
    if not all(map(math.isfinite, got)):
        return math.inf
    if precision == "fp32":
        scale = max(map(abs, reference), default=0.0)
        return max((abs(a - b) for a, b in zip(got, reference)), default=0.0) / max(scale, 1e-30)
    error = math.fsum((a - b) ** 2 for a, b in zip(got, reference))
    return math.sqrt(error / max(math.fsum(b * b for b in reference), 1e-30))


def tolerance(precision):
    return FP32_TOLERANCE if precision == "fp32" else LOW_PRECISION_TOLERANCE


def worst_difference(files, reference_files, precision):
    """The worst over all outputs of a model."""
    if len(files) != len(reference_files):
        return math.inf
    return max(difference(read_values(a), read_values(b), precision) for a, b in zip(files, reference_files))
