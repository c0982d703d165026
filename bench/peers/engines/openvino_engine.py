"""OpenVINO's CPU plugin with the latency hint: one stream on all threads asked for, precision as asked, never its own choice."""

import numpy as np
import openvino as ov
from line_server import fixed_shape, serve

PRECISIONS = {"fp32": "f32", "bf16": "bf16"}


class OpenVino:
    def load(self, model, precision, batch, threads):
        if precision not in PRECISIONS:
            raise ValueError(f"no precision {precision}")
        core = ov.Core()
        graph = core.read_model(model)
        shapes = []
        for port in graph.inputs:
            shape = [d.get_length() if d.is_static else None for d in port.get_partial_shape()]
            shapes.append(fixed_shape(shape, batch))
        graph.reshape({port: shape for port, shape in zip(graph.inputs, shapes)})
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": PRECISIONS[precision],
        }
        self.compiled = core.compile_model(graph, "CPU", config)
        self.request = self.compiled.create_infer_request()
        self.set_inputs([np.zeros(shape, dtype=np.float32) for shape in shapes])
        self.run_once()
        names = lambda port: port.get_any_name() if port.get_names() else port.get_node().get_friendly_name()
        return {
            "version": ov.__version__,
            "inputs": [{"name": names(p), "shape": s} for p, s in zip(self.compiled.inputs, shapes)],
            "outputs": [{"name": names(p), "shape": list(p.shape)} for p in self.compiled.outputs],
        }

    def set_inputs(self, arrays):
        self.arrays = [np.ascontiguousarray(a) for a in arrays]  # kept alive: the tensors share their memory
        for i, array in enumerate(self.arrays):
            self.request.set_input_tensor(i, ov.Tensor(array, shared_memory=True))

    def run_once(self):
        self.request.start_async()
        self.request.wait()

    def outputs(self):
        return [self.request.get_output_tensor(i).data for i in range(len(self.compiled.outputs))]


serve(OpenVino())
