"""ncnn's int8 files out of its fp32 ones, in the scheme of ncnn2int8 (which its Python package does not have): s8
weights with a scale an output channel, s8 activations with a scale a tensor, both from the largest magnitude, and
convolutions that follow each other hand over int8.
"""

import calibration
import ncnn
import numpy as np

INT8_TAG = np.uint32(0x000D4B38).tobytes()
QUANTISED = ("Convolution", "ConvolutionDepthWise", "InnerProduct")
# What ncnn calls int8_scale_term: 1 in a depthwise layer, whose scales are one a group, otherwise 2.
SCALE_TERM = {"Convolution": 2, "ConvolutionDepthWise": 1, "InnerProduct": 2}
HAND_OVER = 100  # added to the scale term of a convolution whose output is int8


class Layer:
    def __init__(self, line):
        fields = line.split()
        self.type, self.name = fields[:2]
        bottoms, tops = int(fields[2]), int(fields[3])
        self.bottoms, self.tops = fields[4 : 4 + bottoms], fields[4 + bottoms : 4 + bottoms + tops]
        self.params = fields[4 + bottoms + tops :]
        self.data = []  # arrays of its part of the weights file, in order

    def number(self, key, default=0):
        return next((int(p.split("=")[1]) for p in self.params if p.startswith(f"{key}=")), default)

    def line(self):
        return " ".join([self.type, self.name, str(len(self.bottoms)), str(len(self.tops)), *self.bottoms, *self.tops, *self.params])


class Reader:
    def __init__(self, path):
        self.bytes, self.at = path.read_bytes(), 0

    def floats(self, count):
        values = np.frombuffer(self.bytes, "<f4", count, self.at)
        self.at += 4 * count
        return values

    def tagged(self, count):
        if self.floats(1).view("<u4")[0] != 0:
            raise ValueError("weights that are not fp32")
        return self.floats(count)


def read_network(folder):
    lines = (folder / "net.param").read_text(encoding="utf-8").splitlines()
    layers = [Layer(line) for line in lines[2:] if line.strip()]
    reader = Reader(folder / "net.bin")
    for layer in layers:
        if layer.type in QUANTISED:
            bias, size = (layer.number(1), layer.number(2)) if layer.type == "InnerProduct" else (layer.number(5), layer.number(6))
            layer.data = [reader.tagged(size), reader.floats(layer.number(0)) if bias else reader.floats(0)]
        elif layer.type == "MemoryData":
            shape = [layer.number(k) for k in (0, 1, 11, 2)]
            layer.data = [reader.floats(int(np.prod([d for d in shape if d])))]
    if reader.at != len(reader.bytes):
        raise ValueError("the network has weights in layers that this program cannot read")
    return lines[:2], layers


def largest_magnitudes(folder, layers, images):
    """Of the input of each quantised layer, over all images."""
    net = ncnn.Net()
    net.opt.lightmode = False
    net.load_param(str(folder / "net.param"))
    net.load_model(str(folder / "net.bin"))
    wanted = {layer.bottoms[0]: 0.0 for layer in layers if layer.type in QUANTISED}
    for image in calibration.images(images):
        extractor = net.create_extractor()
        planes = image[0]  # kept alive: the Mat refers to its memory
        extractor.input(net.input_names()[0], ncnn.Mat(planes))
        for blob in wanted:
            wanted[blob] = max(wanted[blob], float(np.abs(np.array(extractor.extract(blob)[1])).max()))
    return wanted


def scale_of(magnitude):
    return np.float32(127) / np.where(magnitude > 0, magnitude, np.float32(127)).astype(np.float32)


def quantise_layer(layer, activation):
    weights, bias = layer.data
    # A depthwise layer has a scale a group, which for one channel a group is one an output channel as well.
    count = layer.number(7, 1) if layer.type == "ConvolutionDepthWise" else layer.number(0)
    rows = weights.reshape(count, -1)
    scales = scale_of(np.abs(rows).max(axis=1))
    whole = np.clip(np.rint(rows * scales[:, None]), -127, 127).astype(np.int8).tobytes()
    layer.params.append(f"8={SCALE_TERM[layer.type]}")
    layer.data = [INT8_TAG, whole + bytes(-len(whole) % 4), bias, scales, np.float32([activation])]


def consumers(layers):
    """Of each blob, seen through the copies that a Split makes."""
    users = {}
    for layer in layers:
        for blob in layer.bottoms:
            users.setdefault(blob, []).append(layer)

    def of(blob):
        found = []
        for layer in users.get(blob, []):
            found += [user for top in layer.tops for user in of(top)] if layer.type == "Split" else [layer]
        return found

    return of


def hand_over_int8(layers, activations):
    users_of = consumers(layers)
    for layer in layers:
        if layer.type not in ("Convolution", "ConvolutionDepthWise"):
            continue
        users = users_of(layer.tops[0])
        scales = {activations[user.bottoms[0]] for user in users if user.type in ("Convolution", "ConvolutionDepthWise")}
        if len(scales) == 1 and all(user.type in ("Convolution", "ConvolutionDepthWise") for user in users):
            layer.params[-1] = f"8={SCALE_TERM[layer.type] + HAND_OVER}"
            layer.data.append(np.float32(list(scales)))


def quantise(folder, images, target):
    """Writes net.param and net.bin of the int8 network into the folder `target`."""
    head, layers = read_network(folder)
    magnitudes = largest_magnitudes(folder, layers, images)
    activations = {blob: float(scale_of(np.float32(value))) for blob, value in magnitudes.items()}
    for layer in layers:
        if layer.type in QUANTISED:
            quantise_layer(layer, activations[layer.bottoms[0]])
    hand_over_int8(layers, activations)
    (target / "net.param").write_text("\n".join([*head, *(layer.line() for layer in layers)]) + "\n", encoding="utf-8")
    with open(target / "net.bin", "wb") as file:
        for layer in layers:
            for part in layer.data:
                file.write(part if isinstance(part, bytes) else part.astype("<f4").tobytes())
