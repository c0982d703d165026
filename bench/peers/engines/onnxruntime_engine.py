"""ONNX Runtime: all graph optimisations, one intra-op team, inputs and outputs bound once so that a run copies nothing.
Streams share one session without a team: each runs it in its own thread, on the same weights.
"""

import numpy as np
import onnxruntime as ort
from line_server import fixed_shape, serve


class OnnxRuntime:
    def load(self, asked):
        if asked.precision not in ("fp32", "int8"):
            raise ValueError(f"ONNX Runtime's CPU provider has no {asked.precision} convolutions")
        options = ort.SessionOptions()
        options.intra_op_num_threads = asked.threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        level = ort.GraphOptimizationLevel
        options.graph_optimization_level = level.ORT_DISABLE_ALL if asked.exact else level.ORT_ENABLE_ALL
        options.log_severity_level = 3
        self.session = ort.InferenceSession(asked.model, options, providers=["CPUExecutionProvider"])
        self.inputs = [(i.name, fixed_shape(i.shape, asked.batch)) for i in self.session.get_inputs()]
        self.names = [o.name for o in self.session.get_outputs()]
        zeros = {name: np.zeros(shape, dtype=np.float32) for name, shape in self.inputs}
        shapes = [r.shape for r in self.session.run(self.names, zeros)]
        # Results are written into the same memory at every run.
        self.results = [[np.zeros(shape, dtype=np.float32) for shape in shapes] for _ in range(asked.streams)]
        self.set_inputs(list(zeros.values()))
        return {
            "version": ort.__version__,
            "inputs": [{"name": name, "shape": shape} for name, shape in self.inputs],
            "outputs": [{"name": n, "shape": list(shape)} for n, shape in zip(self.names, shapes)],
        }

    def set_inputs(self, arrays):
        # Kept alive: the bindings refer to their memory.
        self.arrays = [[np.array(a, order="C") for a in arrays] for _ in self.results]
        self.bindings = [self.bind(*pair) for pair in zip(self.arrays, self.results)]

    def bind(self, arrays, results):
        binding = self.session.io_binding()
        for (name, _), array in zip(self.inputs, arrays):
            binding.bind_input(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        for name, out in zip(self.names, results):
            binding.bind_output(name, "cpu", 0, np.float32, out.shape, out.ctypes.data)
        return binding

    def run_once(self, stream):
        self.session.run_with_iobinding(self.bindings[stream])

    def outputs(self):
        return self.results[0]


serve(OnnxRuntime())
