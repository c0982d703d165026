"""One case: every engine loads the same network, answers are compared, and those that are right are timed in rounds."""

import contextlib
import os
import sys
from dataclasses import replace
from pathlib import Path

import answers
import engine_rows
import rounds
from engine_process import EngineError, EngineProcess
from networks import Networks

REFERENCE = "onnxruntime"  # whose answer the others are compared with
LOAD_TIMEOUT_S = 3600  # some engines convert and calibrate the network first


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = Path(options.work)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.networks = Networks(options, self.folder)
        self.commands = engine_rows.commands(options.fovea_peer, options.venv)

    def start(self, name, role=""):
        reason = engine_rows.missing(name, self.commands[name])
        if reason:
            raise EngineError(f"{name}: {reason}")
        return EngineProcess(name, self.commands[name], self.folder / f"{role or name}.log")

    def load(self, engine, case, network, **more):
        request = {"model": str(network.path), "precision": case.precision, "batch": case.batch, "threads": case.threads, **more}
        if case.mode != "latency":
            request["mode"] = case.mode
        if network.float_path:
            request.update(float_model=str(network.float_path), calibration=str(network.calibration))
        return engine.request(op="load", timeout_s=LOAD_TIMEOUT_S, **request)

    def answer(self, engine, inputs):
        """The files of its answer to each list of input files."""
        found = []
        for i, files in enumerate(inputs):
            folder = self.folder / "answers" / engine.name / str(i)
            folder.mkdir(parents=True, exist_ok=True)
            engine.request(op="input", files=files)
            found.append(engine.request(op="answer", folder=str(folder))["files"])
        return found

    def reference_answer(self, case, network):
        """The reference engine's answer, copied aside, the input files, and names and shapes of inputs and outputs.
        For int8 it is that of the graph as it is written, whose quantised values are exact; otherwise the fp32 one."""
        exact = case.precision == "int8"
        with contextlib.closing(self.start(REFERENCE, "reference")) as engine:
            one_thread = replace(case, precision="int8" if exact else "fp32", threads=1, mode="latency")
            loaded = self.load(engine, one_thread, network, **({"exact": True} if exact else {}))
            shapes = [entry["shape"] for entry in loaded["inputs"]]
            inputs = self.networks.inputs(case.model, network, shapes, case.precision, case.batch)
            found = self.answer(engine, inputs)
        kept = [[f"{f}.reference" for f in files] for files in found]
        for files, targets in zip(found, kept):
            for source, target in zip(files, targets):
                os.replace(source, target)
        return kept, inputs, {key: loaded[key] for key in ("inputs", "outputs")}

    @staticmethod
    def judge(case, found, reference, shapes):
        """The keys of a row, and why the answer is wrong or an empty text."""
        if case.precision == "int8":
            compared = []
            for files, expected in zip(found, reference):
                compared += answers.compare_images(files, expected, shapes, case.batch)
            return answers.judge_images(compared)
        worst = max(answers.worst_difference(files, expected, case.precision) for files, expected in zip(found, reference))
        allowed = answers.tolerance(case.precision)
        return {"difference": worst}, "" if worst <= allowed else f"WRONG ANSWER: differs by {worst:.2g}, allowed {allowed:.2g}"

    def enter(self, name, case, network, expected, stack, result):
        """Starts an engine, compares its answer and warms it up. Fills its row; None where it has nothing to be timed."""
        reference, inputs, ports = expected
        row = {"engine": name}
        result["engines"].append(row)
        try:
            engine = self.start(name)
            stack.callback(engine.close)
            loaded = self.load(engine, case, network, **ports)
            row.update(version=loaded["version"].split("-")[0], load_ms=loaded["load_ms"])
            row.update({key: loaded[key] for key in ("tactics", "note") if key in loaded})
            if "macs" in loaded:
                result["macs"] = loaded["macs"]
            shapes = [entry["shape"] for entry in ports["outputs"]]
            keys, wrong = self.judge(case, self.answer(engine, inputs), reference, shapes)
            row.update(keys)
            if wrong:
                row["error"] = wrong
                return None
            engine.request(op="run", seconds=self.options.seconds)  # warm-up
            return engine
        except EngineError as error:
            row["error"] = str(error)
            return None

    def run_case(self, case, gauge):
        result = {"model": case.model, "precision": case.precision, "batch": case.batch, "threads": case.threads, "mode": case.mode}
        network = self.networks.get(case.model, case.precision)
        result.update(synthetic_weights=network.synthetic, file=network.path.name, engines=[])
        expected = self.reference_answer(case, network)
        full_peak = {"op": "peak", "threads": case.threads, "milliseconds": 400}
        peaks = [gauge.request(**full_peak)]
        with contextlib.ExitStack() as stack:
            engines = {}
            for name in self.options.engines:
                engine = self.enter(name, case, network, expected, stack, result)
                if engine:
                    engines[name] = engine
            if not engines:
                raise EngineError("no engine answers: " + "; ".join(r["error"] for r in result["engines"]))
            progress = self.progress(case)
            all_rounds, valid, result["verdict"] = rounds.measure(
                gauge, engines, self.options.rounds, self.options.seconds, case, progress=progress
            )
        peaks.append(gauge.request(**full_peak))
        result["peak"] = {k: max(p[k] for p in peaks) for k in peaks[0] if k.endswith("_per_s")}
        result["round_count"] = len(all_rounds)
        result["rounds"] = all_rounds
        result["valid_rounds"] = [i for i, r in enumerate(all_rounds) if r in valid]
        self.fill_rows(result, engines, valid or all_rounds)
        return result

    @staticmethod
    def fill_rows(result, engines, counted):
        peak = result["peak"][f"{result['precision']}_gmacs_per_s"]
        for row in result["engines"]:
            if row["engine"] not in engines:
                continue
            row.update(rounds.summarise(counted, row["engine"]))
            row["images_per_s"] = result["batch"] * row["runs_per_s"]
            row["best_images_per_s"] = result["batch"] * row["best_runs_per_s"]
            if "macs" in result and peak > 0:
                row["percent_of_peak"] = 100 * result["macs"] * 1e-9 * row["runs_per_s"] / peak
            if "fovea" in engines and row["engine"] != "fovea":
                row["ratio"] = rounds.ratio(counted, "fovea", row["engine"])

    def progress(self, case):
        if not sys.stderr.isatty():
            return lambda done, wanted: None

        def show(done, wanted):
            end = "\n" if done >= wanted else "\r"
            print(f"peers: {case.title()}: {done} of {wanted} rounds", end=end, file=sys.stderr)

        return show
