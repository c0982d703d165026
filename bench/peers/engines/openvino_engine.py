"""OpenVINO's CPU plugin. Latency: one stream on all threads asked for. Throughput: as many streams as asked for, of one
thread each, fed by asynchronous requests, so that no stream waits for Python. Precision as asked, never its own choice:
with a QDQ file the hint f32 leaves in fp32 what is not quantised, and the quantised layers run in int8.
"""

import threading
import time

import numpy as np
import openvino as ov
from line_server import fixed_shape, serve

PRECISIONS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
REQUESTS_PER_STREAM = 2  # one runs, one waits


class OpenVino:
    def load(self, asked):
        if asked.precision not in PRECISIONS:
            raise ValueError(f"no precision {asked.precision}")
        core = ov.Core()
        graph = core.read_model(asked.model)
        shapes = []
        for port in graph.inputs:
            shape = [d.get_length() if d.is_static else None for d in port.get_partial_shape()]
            shapes.append(fixed_shape(shape, asked.batch))
        graph.reshape({port: shape for port, shape in zip(graph.inputs, shapes)})
        config = {
            "PERFORMANCE_HINT": "THROUGHPUT" if asked.throughput else "LATENCY",
            "NUM_STREAMS": asked.streams,
            "INFERENCE_NUM_THREADS": asked.threads * asked.streams,
            "INFERENCE_PRECISION_HINT": PRECISIONS[asked.precision],
        }
        self.compiled = core.compile_model(graph, "CPU", config)
        count = asked.streams * REQUESTS_PER_STREAM if asked.throughput else 1
        self.requests = [self.compiled.create_infer_request() for _ in range(count)]
        self.set_inputs([np.zeros(shape, dtype=np.float32) for shape in shapes])
        self.run_once(0)
        names = lambda port: port.get_any_name() if port.get_names() else port.get_node().get_friendly_name()
        return {
            "version": ov.__version__,
            "inputs": [{"name": names(p), "shape": s} for p, s in zip(self.compiled.inputs, shapes)],
            "outputs": [{"name": names(p), "shape": list(p.shape)} for p in self.compiled.outputs],
            "tactics": self.layers(),
        }

    def layers(self):
        """How many layers run which kernel in which type, as OpenVINO says itself."""
        counts = {}
        for node in self.compiled.get_runtime_model().get_ordered_ops():
            info = node.get_rt_info()
            kernel = info["primitiveType"].astype(str) if "primitiveType" in info else "unknown"
            if not kernel.startswith(("undef", "unknown")):
                counts[kernel] = counts.get(kernel, 0) + 1
        return counts

    def set_inputs(self, arrays):
        # Kept alive: the tensors share their memory.
        self.arrays = [[np.array(a, order="C") for a in arrays] for _ in self.requests]
        for request, own in zip(self.requests, self.arrays):
            for i, array in enumerate(own):
                request.set_input_tensor(i, ov.Tensor(array, shared_memory=True))

    def run_once(self, stream):
        self.requests[stream].start_async()
        self.requests[stream].wait()

    def run_streams(self, seconds, least):
        """Runs a second between the first and the last end of a run, all streams being busy all the time."""
        ends, lock, stop = [], threading.Lock(), threading.Event()
        least = max(3, least) * len(self.requests)

        def ended(request):
            with lock:
                ends.append(time.perf_counter())
                if len(ends) > least and ends[-1] - ends[0] >= seconds:
                    stop.set()
            if not stop.is_set():
                request.start_async()

        for request in self.requests:
            request.set_callback(ended, request)
        for request in self.requests:
            request.start_async()
        stop.wait(timeout=120)
        for request in self.requests:
            request.wait()
            request.set_callback(lambda _: None, None)
        if not stop.is_set():
            raise RuntimeError("a run never ended")
        counted = [end for end in ends if end <= ends[0] + seconds] if ends[least] < ends[0] + seconds else ends[: least + 1]
        return (len(counted) - 1) / (counted[-1] - counted[0])

    def outputs(self):
        return [self.requests[0].get_output_tensor(i).data for i in range(len(self.compiled.outputs))]


serve(OpenVino())
