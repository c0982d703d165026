"""The engines' side of the line protocol (docs/peers.md): an engine is a class with load, set_inputs, run_once and
outputs; serve() does the rest. Standard output carries replies only: whatever a library prints goes to standard error.
"""

import concurrent.futures
import contextlib
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field

import numpy as np
from stream_processes import StreamProcesses


@dataclass
class Load:
    """What an engine is asked to make ready."""

    model: str  # the ONNX file
    precision: str = "fp32"
    batch: int = 1
    threads: int = 1  # of one run
    streams: int = 1  # runs at the same time; 1 unless throughput
    throughput: bool = False
    exact: bool = False  # the graph as it is written, without optimisations: for reference answers
    float_model: str = ""  # the fp32 file that `model` was quantised from; empty if it came quantised
    calibration: str = ""  # the folder of its calibration images, see calibration.py
    inputs: list = field(default_factory=list)  # name and shape of each, batch included, as the reference found them
    outputs: list = field(default_factory=list)
    processor: int = -1  # the only one that the process may use; -1: any


class Server:
    def __init__(self, engine):
        self.engine = engine
        self.shapes = []
        self.processes = None

    def load(self, request):
        self.asked = Load(**{k: v for k, v in request.items() if k not in ("op", "mode")})
        if request.get("mode", "latency") == "throughput":
            self.asked.streams, self.asked.threads, self.asked.throughput = self.asked.threads, 1, True
        if self.asked.processor >= 0:
            os.sched_setaffinity(0, {self.asked.processor})
        if hasattr(self.engine, "convert"):  # files in the engine's own format are made once and outside the clock
            self.engine.convert(self.asked)
        if self.asked.throughput and getattr(self.engine, "streams_are_processes", False):
            self.processes = StreamProcesses(request, [processor_of(i) for i in range(self.asked.streams)])
            return self.processes.loaded[0]
        begin = time.perf_counter()
        reply = self.engine.load(self.asked)
        self.shapes = [entry["shape"] for entry in reply["inputs"]]
        reply["load_ms"] = (time.perf_counter() - begin) * 1e3
        return reply

    def input(self, request):
        if self.processes:
            self.processes.all(request)
            return {}
        files = request["files"]
        if len(files) != len(self.shapes):
            raise ValueError(f"expected {len(self.shapes)} inputs, found {len(files)}")
        self.engine.set_inputs([np.fromfile(f, dtype="<f4").reshape(shape) for f, shape in zip(files, self.shapes)])
        return {}

    def answer(self, request):
        if self.processes:
            return self.processes.first(request)
        self.engine.run_once(0)
        files = []
        for i, output in enumerate(self.engine.outputs()):
            files.append(os.path.join(request["folder"], f"{i}.f32"))
            np.ascontiguousarray(output, dtype="<f4").tofile(files[-1])
        return {"files": files}

    def run(self, request):
        if self.processes:
            return {"runs_per_s": self.processes.runs_per_s(request)}
        seconds, least = request["seconds"], request.get("min_runs", 3)
        if self.asked.throughput:
            measure = getattr(self.engine, "run_streams", self.run_streams)
            return {"runs_per_s": measure(seconds, least)}
        return {"times_ms": timed_runs(lambda: self.engine.run_once(0), seconds, least)}

    def run_streams(self, seconds, least):
        """Runs a second of all streams together, each in a thread of its own on a processor of its own."""
        count = self.asked.streams
        if not hasattr(self, "pool"):
            self.pool = concurrent.futures.ThreadPoolExecutor(count)
        together = threading.Barrier(count)

        def stream(i):
            pin(i)
            together.wait(timeout=60)
            times = timed_runs(lambda: self.engine.run_once(i), seconds, least)
            return 1e3 * len(times) / sum(times)

        return sum(self.pool.map(stream, range(count)))


def timed_runs(run_once, seconds, least):
    clock = time.perf_counter_ns
    times = []
    begin = clock()
    while True:
        start = clock()
        run_once()
        end = clock()
        times.append((end - start) * 1e-6)
        if len(times) >= least and (end - begin) * 1e-9 >= seconds:
            return times


def processor_of(stream):
    allowed = sorted(os.sched_getaffinity(os.getpid()))
    return allowed[stream % len(allowed)]


def pin(stream):
    """Binds the calling thread to the stream's processor."""
    with contextlib.suppress(OSError):
        os.sched_setaffinity(threading.get_native_id(), {processor_of(stream)})


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
    replies.flush()
    if server.processes:
        server.processes.close()
    os._exit(0)  # some libraries hang or crash while they are taken down


def fixed_shape(shape, batch):
    """The extents with the batch in place of open ones; an error where more than the first is open or it is another."""
    extents = [d if isinstance(d, int) and d > 0 else None for d in shape]
    if any(d is None for d in extents[1:]):
        raise ValueError(f"open extents in {list(shape)}")
    if not extents:
        return []
    if extents[0] not in (None, batch):
        raise ValueError(f"the network's batch is fixed to {extents[0]}")
    return [batch, *extents[1:]]
