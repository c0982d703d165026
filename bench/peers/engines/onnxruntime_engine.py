"""ONNX Runtime: all graph optimisations, one intra-op team, inputs and outputs bound once so that a run copies nothing."""

import numpy as np
import onnxruntime as ort
from line_server import fixed_shape, serve


class OnnxRuntime:
    def load(self, model, precision, batch, threads):
        if precision != "fp32":
            raise ValueError(f"ONNX Runtime's CPU provider has no {precision} convolutions")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.inputs = [(i.name, fixed_shape(i.shape, batch)) for i in self.session.get_inputs()]
        self.names = [o.name for o in self.session.get_outputs()]
        self.set_inputs([np.zeros(shape, dtype=np.float32) for _, shape in self.inputs])
        self.run_once()
        results = self.binding.get_outputs()
        # From here on results are written into the same memory at every run.
        self.results = [np.zeros(r.shape(), dtype=np.float32) for r in results]
        self.bind([np.zeros(shape, dtype=np.float32) for _, shape in self.inputs])
        return {
            "version": ort.__version__,
            "inputs": [{"name": name, "shape": shape} for name, shape in self.inputs],
            "outputs": [{"name": n, "shape": list(r.shape)} for n, r in zip(self.names, self.results)],
        }

    results = None

    def bind(self, arrays):
        self.arrays = [np.ascontiguousarray(a) for a in arrays]  # kept alive: the binding refers to their memory
        self.binding = self.session.io_binding()
        for (name, _), array in zip(self.inputs, self.arrays):
            self.binding.bind_input(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        for i, name in enumerate(self.names):
            if self.results is None:
                self.binding.bind_output(name)
            else:
                out = self.results[i]
                self.binding.bind_output(name, "cpu", 0, np.float32, out.shape, out.ctypes.data)

    set_inputs = bind

    def run_once(self):
        self.session.run_with_iobinding(self.binding)

    def outputs(self):
        return self.results


serve(OnnxRuntime())
