"""One engine in a process of its own, behind the line protocol of docs/peers.md."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading

# Settings of other people's thread teams that would change what an engine does by itself.
FOREIGN_SETTINGS = ("OMP_", "KMP_", "GOMP_", "MKL_", "DNNL_", "ONEDNN_")


class EngineError(Exception):
    """The engine refused a request, or is gone."""


class EngineProcess:
    def __init__(self, name, command, log_path):
        self.name = name
        environment = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN_SETTINGS)}
        self.log_path = log_path
        self.log = open(log_path, "w", encoding="utf-8")
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.log,
                text=True,
                bufsize=1,
                env=environment,
                start_new_session=True,  # so that close() ends what the engine started, too
            )
        except OSError as error:
            self.log.close()
            raise EngineError(f"{name}: cannot start: {error}") from error
        self.replies = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.replies.put(line)
        self.replies.put(None)

    def request(self, timeout_s=300, **request):
        """The engine's reply as a dictionary; EngineError where it refuses, dies or takes too long."""
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.replies.get(timeout=timeout_s)
        except (OSError, ValueError) as error:
            raise EngineError(f"{self.name}: has gone: {error}{self._last_words()}") from error
        except queue.Empty:
            self.close()
            raise EngineError(f"{self.name}: no reply to {request['op']} in {timeout_s} s") from None
        if line is None:
            raise EngineError(f"{self.name}: ended during {request['op']}{self._last_words()}")
        try:
            reply = json.loads(line)
        except json.JSONDecodeError as error:
            raise EngineError(f"{self.name}: not a reply: {line[:200]!r}") from error
        if not reply.get("ok"):
            raise EngineError(f"{self.name}: {reply.get('error', 'refused without a reason')}")
        return reply

    def _last_words(self):
        self.log.flush()
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            lines = [line.strip() for line in log if line.strip()]
        return f" ({lines[-1]})" if lines else ""

    def close(self):
        if self.process.poll() is None:
            try:
                self.process.stdin.close()
                self.process.wait(timeout=5)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        # A child that an engine left behind would hold the pipe open for ever.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.reader.join()
        self.process.stdout.close()
        self.log.close()
