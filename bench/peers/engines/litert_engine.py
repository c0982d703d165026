"""LiteRT (TensorFlow Lite) with its default XNNPACK delegate. The network is converted, and for int8 quantised, by
TensorFlow's converter (litert_convert.py). Images are handed over channels-last.
"""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from converted import folder_of, make
from line_server import serve


class LiteRt:
    streams_are_processes = True

    def convert(self, asked):
        if asked.precision not in ("fp32", "int8"):
            raise ValueError(f"LiteRT's kernels for this processor have no {asked.precision}")
        source, photographs = asked.model, ""
        if asked.precision == "int8":
            if not asked.float_model:
                raise ValueError("LiteRT reads no QDQ files, and there is no fp32 file that this one was made of")
            source, photographs = asked.float_model, asked.calibration
        self.version = version("ai-edge-litert")
        changed = os.path.getmtime(f"{photographs}/pixels.npy") if photographs else 0
        self.folder = folder_of(source, "litert", self.version, asked.precision, asked.batch, changed)
        make(self.folder, lambda part: self.run_converter([source, str(asked.batch), photographs], part))

    @staticmethod
    def run_converter(arguments, part):
        paths = [os.path.abspath(a) if os.path.exists(a) else a for a in arguments]
        program = str(Path(__file__).with_name("litert_convert.py"))
        done = subprocess.run([sys.executable, program, *paths, str(part.resolve())], capture_output=True, text=True)
        if done.returncode != 0 or not (part / "net.tflite").is_file():
            errors = [line.strip() for line in done.stderr.splitlines() if "Error" in line] or ["it fails without a word"]
            sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
            raise RuntimeError(f"the network cannot be converted: {errors[-1]}")
        for rest in part.iterdir():
            if rest.is_dir():
                shutil.rmtree(rest)
            elif rest.name != "net.tflite":
                rest.unlink()

    def load(self, asked):
        from ai_edge_litert.interpreter import Interpreter

        path = str(self.folder / "net.tflite")
        self.interpreter = Interpreter(path, num_threads=asked.threads)
        self.interpreter.allocate_tensors()
        self.inputs = [d["index"] for d in self.interpreter.get_input_details()]
        details = self.interpreter.get_output_details()
        self.order = self.match(details, asked.outputs)
        self.set_inputs([np.zeros(entry["shape"], dtype=np.float32) for entry in asked.inputs])
        self.run_once(0)
        return {"version": self.version, "inputs": asked.inputs, "outputs": asked.outputs}

    @staticmethod
    def match(details, outputs):
        """Indices of the outputs in the network's order, which the converter does not keep: by shape."""
        left, order = list(details), []
        for entry in outputs:
            found = next((d for d in left if list(d["shape"]) == entry["shape"]), None)
            if found is None:
                shapes = [list(map(int, d["shape"])) for d in details]
                raise RuntimeError(f"the converted network's outputs {shapes} do not have the shape {entry['shape']}")
            left.remove(found)
            order.append(found["index"])
        return order

    def set_inputs(self, arrays):
        for index, array in zip(self.inputs, arrays):
            channels_last = array.transpose(0, 2, 3, 1) if array.ndim == 4 else array
            self.interpreter.set_tensor(index, np.ascontiguousarray(channels_last))

    def run_once(self, stream):
        self.interpreter.invoke()

    def outputs(self):
        return [self.interpreter.get_tensor(index) for index in self.order]


serve(LiteRt())
