"""Streams of an engine whose runs exclude each other within one process (its Python package keeps the interpreter's
lock): each stream is this program once more, in a process and on a processor of its own.
"""

import contextlib
import json
import subprocess
import sys


class StreamProcesses:
    def __init__(self, request, processors):
        self.children = []
        for processor in processors:
            child = subprocess.Popen([sys.executable, *sys.argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            self.children.append(child)
            self.send(child, {**request, "mode": "latency", "threads": 1, "processor": processor})
        self.loaded = [self.receive(child) for child in self.children]

    @staticmethod
    def send(child, request):
        child.stdin.write(json.dumps(request) + "\n")

    @staticmethod
    def receive(child):
        line = child.stdout.readline()
        reply = json.loads(line) if line else {"ok": False, "error": "the process of a stream ended"}
        if not reply.pop("ok"):
            raise RuntimeError(reply["error"])
        return reply

    def first(self, request):
        self.send(self.children[0], request)
        return self.receive(self.children[0])

    def all(self, request):
        for child in self.children:
            self.send(child, request)
        return [self.receive(child) for child in self.children]

    def runs_per_s(self, request):
        times = [reply["times_ms"] for reply in self.all(request)]
        return sum(1e3 * len(t) / sum(t) for t in times)

    def close(self):
        for child in self.children:
            with contextlib.suppress(OSError):  # it may have ended by itself
                child.stdin.close()
            child.wait()
            child.stdout.close()
