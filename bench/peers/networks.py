"""From a model's name to the files that all engines read: the network as one ONNX file, quantised where int8 is asked
for, and the inputs. Everything made is kept in the work folder and made anew only where what it depends on has changed.
"""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import answers
import preprocess
from engine_process import EngineError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CALIBRATION_IMAGES = 256
COMPARED_IMAGES = 4
FORMAT = 1  # of the files in the work folder


@dataclass
class Network:
    path: Path  # what the engines read
    synthetic: bool = False  # seeded random weights
    float_path: Path | None = None  # what `path` was quantised from here
    calibration: Path | None = None  # folder of the photographs, cut to size


def data_folder():
    return Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")


def default_images(kind):
    return data_folder() / {"imagenet": "imagenet-sample/calib", "cifar10": "cifar10-jpeg/train"}[kind]


def model_folders():
    return [Path(f) for f in os.environ.get("FOVEA_MODELS", "").split(":") if f] or [data_folder() / "models"]


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def is_quantised(path):
    """Whether the ONNX file has QDQ nodes: operators' names stand in it as they are."""
    return b"DequantizeLinear" in Path(path).read_bytes()


class Networks:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.found = {}
        for name in ("models", "calibration", "inputs"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def get(self, model, precision):
        """EngineError where it cannot be had."""
        key = (model, precision == "int8")
        if key not in self.found:
            self.found[key] = self._int8(model) if precision == "int8" else self._export(model)
        return self.found[key]

    def inputs(self, model, network, shapes, precision, batch):
        """Lists of files, one list for each run whose answer is compared: random numbers, or photographs for int8."""
        if precision == "int8":
            return self._photographs(model, network, shapes, batch)
        files = [str(self.folder / "inputs" / f"random{i}.f32") for i in range(len(shapes))]
        for i, (file, shape) in enumerate(zip(files, shapes)):
            answers.write_input(file, shape, seed=i)
        return [files]

    def _export(self, model):
        """Written by Fovea as one ONNX file; seeded random weights where the real ones are not here."""
        target = self.folder / "models" / f"{Path(model).name.split('.onnx')[0]}.onnx"
        command = [self.options.fovea, "convert", model, "-o", str(target), "--json", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            done = subprocess.run([*command, "--synthetic"], capture_output=True, text=True)
        if done.returncode != 0:
            raise EngineError(f"{model}: {done.stderr.strip()}")
        return Network(target, bool(json.loads(done.stdout).get("synthetic_weights")))

    def _int8(self, model):
        ready = self._quantised_file(model)
        if ready:
            return Network(ready, calibration=self._pixels(model))
        network = self._export(model)
        network.calibration = self._pixels(model)
        network.float_path = network.path
        network.path = network.float_path.with_suffix(".int8.onnx")
        made_of = {"model": sha256(network.float_path), "pixels": sha256(network.calibration / "pixels.npy"), "rules": self._rules(model)}
        self._make(network.path, made_of, op="quantise", model=str(network.float_path), pixels=str(network.calibration / "pixels.npy"))
        return network

    def _quantised_file(self, model):
        """A QDQ file by its path, its name in the models' folders, or its name in the catalogue; None for other models."""
        entry = preprocess.find_entry(model)
        if entry and entry["precision"] == "fp32":
            return None
        candidates = [Path(model)]
        for folder in model_folders():
            candidates += [folder / Path(model).name, *(folder / f["name"] for f in (entry["files"] if entry else []))]
        for path in candidates:
            if path.name.endswith((".onnx", ".onnx.gz")) and path.is_file():
                path = self._inflated(path)
                return path if is_quantised(path) else None
        return None

    def _inflated(self, path):
        if path.suffix != ".gz":
            return path
        target = self.folder / "models" / path.stem
        with gzip.open(path) as source, open(target, "wb") as file:
            shutil.copyfileobj(source, file)
        return target

    def _rules(self, model):
        try:
            return preprocess.of_model(model)
        except ValueError as error:
            raise EngineError(str(error)) from error

    def _pixels(self, model):
        rules = self._rules(model)
        images = Path(self.options.images or default_images(rules["images"]))
        if not images.is_dir():
            raise EngineError(f"{model}: int8 is calibrated and compared on photographs, and there are none in {images}; give --images FOLDER")
        folder = self.folder / "calibration" / Path(model).name.split(".onnx")[0]
        folder.mkdir(exist_ok=True)
        (folder / "rules.json").write_text(json.dumps(rules) + "\n", encoding="utf-8")
        names = sorted(p.name for p in images.rglob("*"))
        made_of = {"images": str(images), "names": hashlib.sha256("\n".join(names).encode()).hexdigest(), "rules": rules}
        self._make(folder / "pixels.npy", made_of, op="pixels", images=str(images), count=CALIBRATION_IMAGES)
        return folder

    def _photographs(self, model, network, shapes, batch):
        if len(shapes) != 1:
            raise EngineError(f"{model}: int8 answers are compared on photographs, but the network has {len(shapes)} inputs")
        start = self.folder / "inputs" / f"{network.calibration.name}-{batch}-"
        rules, pixels = self._rules(model), str(network.calibration / "pixels.npy")
        self._prepare(op="inputs", pixels=pixels, rules=rules, count=COMPARED_IMAGES, batch=batch, output=str(start))
        count = -(-COMPARED_IMAGES // batch)
        return [[f"{start}{i}.f32"] for i in range(count)]

    def _make(self, target, made_of, **request):
        """Runs the request if `target` is not there or was made of something else."""
        stamp = target.with_name(target.name + ".json")
        text = json.dumps({"format": FORMAT, **made_of}, sort_keys=True)
        if target.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == text:
            return
        stamp.unlink(missing_ok=True)
        self._prepare(rules=made_of["rules"], output=str(target), **request)
        stamp.write_text(text, encoding="utf-8")

    def _prepare(self, **request):
        python = str(Path(self.options.venv) / "base" / "bin" / "python")
        try:
            done = subprocess.run([python, str(HERE / "prepare_int8.py")], input=json.dumps(request), capture_output=True, text=True)
        except OSError as error:
            raise EngineError(f"{request['op']}: {error}") from error
        if done.returncode != 0:
            raise EngineError(f"{request['op']} {request.get('model', '')}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
