"""PyTorch: the network read by onnx2torch and compiled by Inductor with frozen, channels-last weights; the program is
made before the clock starts. int8 by PyTorch 2 export quantisation for x86: u8 activations, s8 weights per channel.
"""

import warnings

import calibration
import numpy as np
import onnx
import torch
from line_server import serve

CALIBRATION_IMAGES = 64  # run eagerly, so all would take minutes
WARM_UP_RUNS = 3


class Torch:
    streams_are_processes = True

    def load(self, asked):
        if asked.precision not in ("fp32", "bf16", "int8"):
            raise ValueError(f"no precision {asked.precision}")
        if asked.precision == "int8" and not asked.float_model:
            raise ValueError("PyTorch reads no QDQ files, and there is no fp32 file that this one was made of")
        warnings.simplefilter("ignore")
        torch.set_num_threads(asked.threads)
        torch.set_grad_enabled(False)
        import torch._inductor.config as inductor

        inductor.freezing = True
        inductor.cpp_wrapper = True
        self.dtype = torch.bfloat16 if asked.precision == "bf16" else torch.float32
        self.set_inputs([np.zeros(entry["shape"], dtype=np.float32) for entry in asked.inputs])
        network = self.read(asked.float_model or asked.model, asked.batch)
        if asked.precision == "int8":
            network = quantised(network, self.arrays, asked.calibration)
        self.network = torch.compile(network)
        for _ in range(WARM_UP_RUNS):
            self.run_once(0)
        return {"version": torch.__version__, "inputs": asked.inputs, "outputs": asked.outputs}

    def read(self, path, batch):
        from onnx2torch import convert

        model = onnx.load(path)
        for port in [*model.graph.input, *model.graph.output]:
            port.type.tensor_type.shape.dim[0].dim_value = batch
        return convert(model).eval().to(self.dtype).to(memory_format=torch.channels_last)

    def set_inputs(self, arrays):
        self.arrays = []
        for array in arrays:
            tensor = torch.from_numpy(np.array(array, order="C")).to(self.dtype)
            self.arrays.append(tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor)

    def run_once(self, stream):
        self.results = self.network(*self.arrays)

    def outputs(self):
        results = self.results if isinstance(self.results, (tuple, list)) else [self.results]
        return [result.float().numpy() for result in results]


def quantised(network, example, photographs):
    from torchao.quantization.pt2e import move_exported_model_to_eval
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    quantiser = x86.X86InductorQuantizer()
    quantiser.set_global(x86.get_default_x86_inductor_quantization_config())
    prepared = prepare_pt2e(torch.export.export(network, tuple(example)).module(), quantiser)
    images = list(calibration.images(photographs, CALIBRATION_IMAGES))
    batch = len(example[0])
    for first in range(0, len(images), batch):
        images_of_batch = [images[(first + i) % len(images)] for i in range(batch)]
        prepared(torch.from_numpy(np.concatenate(images_of_batch)).to(memory_format=torch.channels_last))
    return move_exported_model_to_eval(convert_pt2e(prepared))


serve(Torch())
