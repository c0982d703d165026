"""ncnn: the network converted by pnnx; int8 by ncnn's own scheme, see ncnn_int8.py. ncnn has no batch: a batch is run
image by image.
"""

import os

import ncnn
import ncnn_int8
import numpy as np
import pnnx_program
from converted import folder_of, make
from line_server import serve


class Ncnn:
    streams_are_processes = True

    def convert(self, asked):
        if asked.precision not in ("fp32", "bf16", "int8"):
            raise ValueError(f"no precision {asked.precision}")
        source = asked.model
        if asked.precision == "int8":
            if not asked.float_model:
                raise ValueError("ncnn reads no QDQ files, and there is no fp32 file that this one was made of")
            source = asked.float_model
        (self.shape,) = (entry["shape"][1:] for entry in asked.inputs)
        float_folder = folder_of(source, "ncnn", ncnn.__version__, "float")
        make(float_folder, lambda part: pnnx_program.convert(source, [1, *self.shape], part))
        self.folder = float_folder
        if asked.precision == "int8":
            self.folder = folder_of(source, "ncnn", ncnn.__version__, "int8", os.path.getmtime(f"{asked.calibration}/pixels.npy"))
            make(self.folder, lambda part: ncnn_int8.quantise(float_folder, asked.calibration, part))

    def load(self, asked):
        net = self.net = ncnn.Net()
        net.opt.use_vulkan_compute = False
        net.opt.num_threads = asked.threads
        # fp16 storage is ncnn's own choice where it is left on.
        for half in ("packed", "storage", "arithmetic"):
            setattr(net.opt, f"use_fp16_{half}", False)
        net.opt.use_bf16_storage = net.opt.use_bf16_packed = asked.precision == "bf16"
        if net.load_param(str(self.folder / "net.param")) or net.load_model(str(self.folder / "net.bin")):
            raise RuntimeError("ncnn does not read what pnnx wrote")
        self.set_inputs([np.zeros([asked.batch, *self.shape], dtype=np.float32)])
        self.run_once(0)
        return {"version": ncnn.__version__, "inputs": asked.inputs, "outputs": asked.outputs}

    def set_inputs(self, arrays):
        self.arrays = [np.array(image, order="C") for image in arrays[0]]  # kept alive: the Mats refer to their memory
        self.images = [ncnn.Mat(array) for array in self.arrays]

    def run_once(self, stream):
        results = []
        for image in self.images:
            extractor = self.net.create_extractor()
            extractor.input(self.net.input_names()[0], image)
            results.append([extractor.extract(name)[1] for name in self.net.output_names()])
        self.results = results

    def outputs(self):
        return [np.stack([np.array(image[i]) for image in self.results]) for i in range(len(self.results[0]))]


serve(Ncnn())
