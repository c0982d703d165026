#!/usr/bin/env python3
"""Measures Fovea against other engines on this machine: each in its own process, rounds interleaved, answers compared
before times count, the machine's peak measured in every round. `make peers`; see docs/peers.md.

Exit codes are the program's (docs/exit-codes.md): 5 a wrong answer, 6 a ratio below --require, 7 too noisy to say.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import answers
import rounds
import table
from engine_process import EngineError, EngineProcess

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DEFAULT_MODELS = "resnet50,mobilenet-v1,mobilenet-v2,mobilenet-v3-small,efficientnet-lite0"
REFERENCE = "onnxruntime"  # whose fp32 answer the others are compared with
EXIT_USAGE, EXIT_ACCURACY, EXIT_PERFORMANCE, EXIT_UNSTABLE = 2, 5, 6, 7


@dataclass
class Case:
    model: str
    precision: str
    threads: int
    batch: int = 1


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = Path(options.work)
        self.folder.mkdir(parents=True, exist_ok=True)
        python = str(Path(options.venv) / "bin" / "python")
        # One row an engine; a new one is a file in engines/ and a row here.
        self.commands = {
            "fovea": [options.fovea_peer],
            "onnxruntime": [python, str(HERE / "engines" / "onnxruntime_engine.py")],
            "openvino": [python, str(HERE / "engines" / "openvino_engine.py")],
        }

    def start(self, name, role=""):
        return EngineProcess(name, self.commands[name], self.folder / f"{role or name}.log")

    def export_model(self, model):
        """The network as one ONNX file that all engines read; seeded random weights where the real ones are not here."""
        target = self.folder / "models" / f"{Path(model).name.split('.')[0]}.onnx"
        target.parent.mkdir(exist_ok=True)
        command = [self.options.fovea, "convert", model, "-o", str(target), "--json", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            done = subprocess.run([*command, "--synthetic"], capture_output=True, text=True)
        if done.returncode != 0:
            raise EngineError(f"{model}: {done.stderr.strip()}")
        return target, bool(json.loads(done.stdout).get("synthetic_weights"))

    def prepare(self, engine, case, path, inputs=None):
        """Loads the model, hands over the inputs and collects the answer. Returns the load reply and the answer's files."""
        loaded = engine.request(op="load", model=str(path), precision=case.precision, batch=case.batch, threads=case.threads)
        if inputs is None:
            inputs = []
            for i, entry in enumerate(loaded["inputs"]):
                inputs.append(str(self.folder / f"input{i}.f32"))
                answers.write_input(inputs[-1], entry["shape"], seed=i)
        engine.request(op="input", files=inputs)
        folder = self.folder / "answers" / engine.name
        folder.mkdir(parents=True, exist_ok=True)
        return loaded, engine.request(op="answer", folder=str(folder))["files"], inputs

    def reference_answer(self, case, path):
        """The reference engine's fp32 answer, copied aside, and the input files."""
        engine = self.start(REFERENCE, "reference")
        with contextlib.closing(engine):
            _, files, inputs = self.prepare(engine, Case(case.model, "fp32", 1, case.batch), path)
        kept = [f"{f}.reference" for f in files]
        for source, target in zip(files, kept):
            os.replace(source, target)
        return kept, inputs

    def run_case(self, case, gauge):
        path, synthetic = self.export_model(case.model)
        result = {"model": case.model, "precision": case.precision, "batch": case.batch, "threads": case.threads, "synthetic_weights": synthetic, "engines": []}
        reference, inputs = self.reference_answer(case, path)
        peaks = [gauge.request(op="peak", threads=case.threads, milliseconds=400)]
        with contextlib.ExitStack() as stack:
            engines, rows = {}, {}
            for name in self.options.engines:
                row = rows[name] = {"engine": name}
                result["engines"].append(row)
                try:
                    engine = self.start(name)
                    stack.callback(engine.close)
                    loaded, files, _ = self.prepare(engine, case, path, inputs)
                    row.update(version=loaded["version"].split("-")[0], load_ms=loaded["load_ms"])
                    if "macs" in loaded:
                        result["macs"] = loaded["macs"]
                        row["tactics"] = loaded["tactics"]
                    row["difference"] = answers.worst_difference(files, reference, case.precision)
                    if not row["difference"] <= answers.tolerance(case.precision):
                        row["error"] = f"WRONG ANSWER: differs by {row['difference']:.2g}, allowed {answers.tolerance(case.precision):.2g}"
                        continue
                    engine.request(op="run", seconds=self.options.seconds)  # warm-up
                    engines[name] = engine
                except EngineError as error:
                    row["error"] = str(error)
            if not engines:
                raise EngineError("no engine answers: " + "; ".join(r["error"] for r in rows.values()))
            all_rounds, valid, result["verdict"] = rounds.measure(
                gauge, engines, self.options.rounds, self.options.seconds, case.threads, progress=self.progress(case)
            )
        peaks.append(gauge.request(op="peak", threads=case.threads, milliseconds=400))
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
            row["images_per_s"] = result["batch"] * 1e3 / row["median_ms"]
            if "macs" in result:
                row["percent_of_peak"] = 100 * result["macs"] / (row["median_ms"] * 1e6) / peak
            if "fovea" in engines and row["engine"] != "fovea":
                row["ratio"] = rounds.ratio(counted, "fovea", row["engine"])

    def progress(self, case):
        if not sys.stderr.isatty():
            return lambda done, wanted: None

        def show(done, wanted):
            end = "\n" if done >= wanted else "\r"
            print(f"peers: {case.model} {case.precision}, {case.threads} thread(s): {done} of {wanted} rounds", end=end, file=sys.stderr)

        return show


def exit_code(cases, require):
    """The worst of the cases, and a sentence for each reason."""
    reasons = []
    for case in cases:
        name = f"{case['model']} {case['precision']}, {case['threads']} thread(s)"
        for row in case["engines"]:
            if row.get("error", "").startswith("WRONG") and row["engine"] == "fovea":
                reasons.append((EXIT_ACCURACY, f"{name}: {row['error']}"))
            elif "error" in row and row["engine"] == "fovea":
                reasons.append((1, f"{name}: {row['error']}"))
            elif require and case["verdict"] != "invalid" and row.get("ratio", {}).get("median", require) < require:
                reasons.append((EXIT_PERFORMANCE, f"{name}: {row['ratio']['median']:.3f} times {row['engine']}, required {require}"))
        if case["verdict"] == "invalid":
            reasons.append((EXIT_UNSTABLE, f"{name}: the machine's peak moved in too many rounds"))
    order = [1, EXIT_ACCURACY, EXIT_PERFORMANCE, EXIT_UNSTABLE]
    return min((code for code, _ in reasons), key=order.index, default=0), [text for _, text in reasons]


def parse_arguments(arguments):
    split = lambda text: [part for part in text.split(",") if part]
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=split, default=split(DEFAULT_MODELS), help=f"names or paths, comma-separated (default {DEFAULT_MODELS})")
    parser.add_argument("--precisions", type=split, default=["fp32"], help="fp32,bf16 (default fp32)")
    parser.add_argument("--threads", type=lambda t: [int(n) for n in split(t)], default=[1, 2], help="thread counts (default 1,2)")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--engines", type=split, default=["fovea", "onnxruntime", "openvino"])
    parser.add_argument("--rounds", type=int, default=9, help="rounds that must count (default 9)")
    parser.add_argument("--seconds", type=float, default=0.4, help="of each engine in a round (default 0.4)")
    parser.add_argument("--require", type=float, default=0.0, help="exit 6 where Fovea is not at least this many times as fast as every peer")
    parser.add_argument("--output", help="the JSON report (default <work>/report.json)")
    parser.add_argument("--work", default=str(ROOT / "build" / "peers"), help="folder for models, answers and logs")
    parser.add_argument("--venv", default=str(ROOT / "build" / "peers-venv"))
    parser.add_argument("--fovea", default=str(ROOT / "build" / "bin" / "fovea"))
    parser.add_argument("--fovea-peer", default=str(ROOT / "build" / "bin" / "fovea_peer"))
    options = parser.parse_args(arguments)
    if not options.models or not options.threads or not options.engines or options.rounds < 1:
        parser.error("models, threads, engines and rounds must not be empty")
    return options


def main(arguments=None):
    options = parse_arguments(arguments)
    bench = Bench(options)
    unknown = [name for name in options.engines if name not in bench.commands]
    if unknown:
        print(f"peers: no such engine: {', '.join(unknown)}; known: {', '.join(bench.commands)}", file=sys.stderr)
        return EXIT_USAGE
    gauge = EngineProcess("gauge", [options.fovea_peer], bench.folder / "gauge.log")
    cases = []
    with contextlib.closing(gauge):
        machine = gauge.request(op="peak", milliseconds=4)["machine"]
        for model in options.models:
            for precision in options.precisions:
                for threads in options.threads:
                    cases.append(bench.run_case(Case(model, precision, threads, options.batch), gauge))
                    print(table.case_text(cases[-1]) + "\n", flush=True)
    print(table.summary_text(cases))
    output = Path(options.output or bench.folder / "report.json")
    output.write_text(json.dumps({"machine": machine, "options": vars(options), "cases": cases}, indent=1) + "\n", encoding="utf-8")
    print(f"\nwrote {output}")
    code, reasons = exit_code(cases, options.require)
    for reason in reasons:
        print(f"peers: {reason}", file=sys.stderr)
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EngineError as failure:
        print(f"peers: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("peers: interrupted", file=sys.stderr)
        sys.exit(9)
