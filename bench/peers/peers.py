#!/usr/bin/env python3
"""Measures Fovea against other engines on this machine: each in its own process, rounds interleaved, answers compared
before times count, the machine's peak measured in every round. `make peers`; see docs/peers.md.

Exit codes are the program's (docs/exit-codes.md): 5 a wrong answer, 6 a ratio below --require, 7 too noisy to say.
"""

import argparse
import contextlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import engine_rows
import suites
import table
from bench import Bench
from engine_process import EngineError, EngineProcess

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_MODELS = "resnet50,mobilenet-v1,mobilenet-v2,mobilenet-v3-small,efficientnet-lite0"
PRECISIONS, MODES = ("fp32", "bf16", "int8"), ("latency", "throughput")
EXIT_USAGE, EXIT_ACCURACY, EXIT_PERFORMANCE, EXIT_UNSTABLE = 2, 5, 6, 7


def case_problems(case, require):
    """(exit code, sentence) of each thing that is wrong with a case."""
    name = table.title(case)
    if "error" in case:
        return [(1, f"{name}: {case['error']}")]
    found = []
    for row in case["engines"]:
        if row.get("error", "").startswith("WRONG") and row["engine"] == "fovea":
            found.append((EXIT_ACCURACY, f"{name}: {row['error']}"))
        elif "error" in row and row["engine"] == "fovea":
            found.append((1, f"{name}: {row['error']}"))
        elif require and case["verdict"] != "invalid" and row.get("ratio", {}).get("median", require) < require:
            found.append((EXIT_PERFORMANCE, f"{name}: {row['ratio']['median']:.3f} times {row['engine']}, required {require}"))
    if case["verdict"] == "invalid":
        found.append((EXIT_UNSTABLE, f"{name}: the machine's peak moved in too many rounds"))
    return found


def exit_code(cases, require):
    """The worst of the cases, and a sentence for each reason."""
    reasons = [problem for case in cases for problem in case_problems(case, require)]
    order = [1, EXIT_ACCURACY, EXIT_PERFORMANCE, EXIT_UNSTABLE]
    return min((code for code, _ in reasons), key=order.index, default=0), [text for _, text in reasons]


def words_of(known):
    def parse(text):
        words = [part for part in text.split(",") if part]
        unknown = [word for word in words if word not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return words

    return parse


def parse_arguments(arguments):
    split = lambda text: [part for part in text.split(",") if part]
    engines = ["fovea", *engine_rows.ROWS]
    more = ",".join(sorted({row.environment for row in engine_rows.ROWS.values()} - {"base"}))
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog=f"bench/peers/run.sh takes --with {more} as well: installs these engines and adds them.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", type=split, default=split(DEFAULT_MODELS), help=f"names or paths, comma-separated (default {DEFAULT_MODELS})")
    parser.add_argument("--precisions", "--precision", type=words_of(PRECISIONS), default=["fp32"], help="fp32,bf16,int8 (default fp32)")
    parser.add_argument("--threads", type=lambda t: [int(n) for n in split(t)], default=[1, 2], help="thread counts (default 1,2)")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--mode", type=words_of(MODES), default=["latency"], help="latency: all threads on one run; throughput: a stream on each thread (default latency)")
    parser.add_argument("--table", choices=suites.TABLES, help="a whole table instead of --models, --precisions and --mode")
    parser.add_argument("--engines", type=words_of(engines), default=engine_rows.DEFAULT, help=f"of {','.join(engines)} (default {','.join(engine_rows.DEFAULT)})")
    parser.add_argument("--images", help="photographs that int8 is calibrated and compared on (default: of the test data)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds that must count (default 9)")
    parser.add_argument("--seconds", type=float, default=0.4, help="of each engine in a round (default 0.4)")
    parser.add_argument("--require", type=float, default=0.0, help="exit 6 where Fovea is not at least this many times as fast as every peer")
    parser.add_argument("--output", help="the JSON report (default <work>/report.json)")
    parser.add_argument("--work", default=str(ROOT / "build" / "peers"), help="folder for models, answers and logs")
    parser.add_argument("--venv", default=str(ROOT / "build" / "peers-venv"), help="folder of the engines' Python environments")
    parser.add_argument("--fovea", default=str(ROOT / "build" / "bin" / "fovea"))
    parser.add_argument("--fovea-peer", default=str(ROOT / "build" / "bin" / "fovea_peer"))
    options = parser.parse_args(arguments)
    if not options.models or not options.threads or not options.engines or not options.mode or options.rounds < 1:
        parser.error("models, threads, engines, modes and rounds must not be empty")
    if min(options.threads) < 1 or options.batch < 1:
        parser.error("threads and batch must be at least 1")
    return options


def run_cases(bench, gauge, wanted):
    """All of them; one that cannot be measured has an "error" and no times."""
    cases = []
    for case in wanted:
        try:
            cases.append(bench.run_case(case, gauge))
        except EngineError as error:
            cases.append({**asdict(case), "error": str(error)})
        print(table.case_text(cases[-1]) + "\n", flush=True)
    return cases


def main(arguments=None):
    options = parse_arguments(arguments)
    bench = Bench(options)
    gauge = EngineProcess("gauge", [options.fovea_peer], bench.folder / "gauge.log")
    with contextlib.closing(gauge):
        machine = gauge.request(op="peak", milliseconds=4)["machine"]
        cases = run_cases(bench, gauge, suites.cases_of(options))
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
