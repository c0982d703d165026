"""The engines' side of the line protocol (docs/peers.md): an engine is a class with load, set_inputs, run_once and
outputs; serve() does the rest. Standard output carries replies only: whatever a library prints goes to standard error.
"""

import json
import os
import sys
import time

import numpy as np


class Server:
    def __init__(self, engine):
        self.engine = engine
        self.shapes = []

    def load(self, request):
        begin = time.perf_counter()
        reply = self.engine.load(request["model"], request.get("precision", "fp32"), request.get("batch", 1), request.get("threads", 1))
        self.shapes = [entry["shape"] for entry in reply["inputs"]]
        reply["load_ms"] = (time.perf_counter() - begin) * 1e3
        return reply

    def input(self, request):
        files = request["files"]
        if len(files) != len(self.shapes):
            raise ValueError(f"expected {len(self.shapes)} inputs, found {len(files)}")
        self.engine.set_inputs([np.fromfile(f, dtype="<f4").reshape(shape) for f, shape in zip(files, self.shapes)])
        return {}

    def answer(self, request):
        self.engine.run_once()
        files = []
        for i, output in enumerate(self.engine.outputs()):
            files.append(os.path.join(request["folder"], f"{i}.f32"))
            np.ascontiguousarray(output, dtype="<f4").tofile(files[-1])
        return {"files": files}

    def run(self, request):
        seconds, least = request["seconds"], request.get("min_runs", 3)
        run_once, clock = self.engine.run_once, time.perf_counter_ns
        times = []
        begin = clock()
        while True:
            start = clock()
            run_once()
            end = clock()
            times.append((end - start) * 1e-6)
            if len(times) >= least and (end - begin) * 1e-9 >= seconds:
                return {"times_ms": times}


def serve(engine):
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    server = Server(engine)
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            request = json.loads(line)
            if request["op"] not in ("load", "input", "answer", "run"):
                raise ValueError(f"unknown op {request['op']}")
            reply = {"ok": True, **getattr(server, request["op"])(request)}
        except Exception as error:  # whatever a library raises becomes a reply
            reply = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(reply) + "\n")


def fixed_shape(shape, batch):
    """The extents with the batch in place of open ones; an error where more than the first is open."""
    extents = [d if isinstance(d, int) and d > 0 else None for d in shape]
    if any(d is None for d in extents[1:]):
        raise ValueError(f"open extents in {list(shape)}")
    return [batch if extents and extents[0] is None else extents[0], *extents[1:]] if extents else []
