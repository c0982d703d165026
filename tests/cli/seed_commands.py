"""The inference commands of Intel's ResNet50 v1.5 page, all of them, with the steps and batches that they are written
with: only the program's name and the paths differ. Checks the lines that each must print, and prints a table.

Usage: seed_commands.py PATH_OF_FOVEA [--fp32-graph FILE] [--int8-graph FILE] [--python INTERPRETER] [--images N]
                        [--output-dir DIR] [--only NUMBERS]

Graphs that are not given are made with TensorFlow (tests/import_tensorflow/make_graphs.py) from the test data's
resnet50, by an interpreter that has it: by default build/venv-tensorflow. The bfloat16 commands take the fp32 graph,
whose numbers are rounded as they are read. Takes about a quarter of an hour on two cores. Exit code 1 if a command fails
or prints other lines.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")
SAMPLE = DATA / "imagenet-sample"

# Word for word, but that {int8}, {fp32} and {bf16} stand for the graph's file and {data} for the folder of records; the
# second of the page lacks a backslash before "--".
COMMANDS = """
--data-location {data} --in-graph {int8} --model-name resnet50v1_5 --framework tensorflow --precision int8 --mode inference --batch-size=100 --accuracy-only --docker-image intel/intel-optimized-tensorflow:2.1.0
--in-graph {int8} --model-name resnet50v1_5 --framework tensorflow --precision int8 --mode inference --batch-size=128 --benchmark-only --docker-image intel/intel-optimized-tensorflow:2.1.0 -- warmup_steps=50 steps=500
--in-graph {fp32} --model-name resnet50v1_5 --framework tensorflow --precision fp32 --mode inference --batch-size=1 --socket-id=0 --docker-image intel/intel-optimized-tensorflow:2.1.0
--in-graph {fp32} --model-name resnet50v1_5 --framework tensorflow --precision fp32 --mode inference --batch-size=128 --socket-id=0 --docker-image intel/intel-optimized-tensorflow:2.1.0
--in-graph {fp32} --model-name resnet50v1_5 --framework tensorflow --precision fp32 --mode inference --accuracy-only --batch-size 100 --socket-id=0 --data-location {data} --docker-image intel/intel-optimized-tensorflow:2.1.0
--in-graph {fp32} --model-name resnet50v1_5 --framework tensorflow --precision fp32 --mode inference --accuracy-only --output-results --batch-size 100 --socket-id=0 --data-location {data} --docker-image intel/intel-optimized-tensorflow:2.1.0
--in-graph {bf16} --model-name resnet50v1_5 --framework tensorflow --precision bfloat16 --mode inference --batch-size=1 --socket-id 0 --docker-image=intel/intel-optimized-tensorflow:tensorflow-2.2-bf16-nightly
--in-graph {bf16} --model-name resnet50v1_5 --framework tensorflow --precision bfloat16 --mode inference --batch-size=128 --socket-id 0 --docker-image=intel/intel-optimized-tensorflow:tensorflow-2.2-bf16-nightly
--in-graph {bf16} --model-name resnet50v1_5 --framework tensorflow --precision bfloat16 --mode inference --accuracy-only --batch-size 100 --socket-id 0 --data-location {data} --docker-image=intel/intel-optimized-tensorflow:tensorflow-2.2-bf16-nightly
--in-graph {bf16} --model-name resnet50v1_5 --framework tensorflow --precision bfloat16 --mode inference --accuracy-only --output-results --batch-size 100 --socket-id 0 --data-location {data} --docker-image=intel/intel-optimized-tensorflow:tensorflow-2.2-bf16-nightly
""".strip().splitlines()

DEFAULT_STEPS = 50


def has_bf16():
    return "avx512_bf16" in Path("/proc/cpuinfo").read_text()


def is_accuracy(command):
    return "--accuracy-only" in command


def batch_of(command):
    return int(re.search(r"--batch-size[= ](\d+)", command).group(1))


def steps_of(command):
    found = re.search(r" steps=(\d+)", command)
    return int(found.group(1)) if found else DEFAULT_STEPS


def expected_lines(command, images):
    """Patterns of whole lines that the command must print."""
    precision = re.search(r"--precision (\w+)", command).group(1)
    batch = batch_of(command)
    if is_accuracy(command):
        lines = [r"Inference with real data\.", r"Iteration time: \d+\.\d{4} ms",
                 rf"Processed {images} images\. \(Top1 accuracy, Top5 accuracy\) = \(0\.\d{{4}}, 0\.\d{{4}}\)"]
        if "--output-results" in command:
            lines.append(rf"Inference results file in the output directory: resnet50v1_5_{precision}_inference_results_\d{{8}}_\d{{6}}\.txt")
    else:
        lines = [r"Inference with dummy data\.", rf"Iteration {steps_of(command)}: \d+\.\d{{6}} sec", r"Average time: \d+\.\d{6} sec",
                 f"Batch size = {batch}", r"Throughput: \d+\.\d{3} images/sec"]
        if batch == 1:
            lines.append(r"Latency: \d+\.\d{3} ms")
    return lines + [f"Ran inference with batch size {batch}",
                    rf"Log location outside container: .*/benchmark_resnet50_inference_{precision}_\d{{8}}_\d{{6}}\.log"]


def missing_lines(command, text, images):
    return [line for line in expected_lines(command, images) if not re.search(f"^{line}$", text, re.M)]


def figures(text):
    last = lambda pattern: (re.findall(pattern, text, re.M) or [None])[-1]
    accuracy = last(r"^Processed (\d+) images\. .* = \((0\.\d+), (0\.\d+)\)$")
    if accuracy:
        return f"top-1 {100 * float(accuracy[1]):.2f} %, top-5 {100 * float(accuracy[2]):.2f} % of {accuracy[0]}"
    rate, latency, noise = last(r"^Throughput: (\S+) images/sec$"), last(r"^Latency: (\S+) ms$"), last(r"^Noise: (\w+)")
    return ", ".join(x for x in (latency and f"{latency} ms", rate and f"{rate} images/s", noise and f"{noise}") if x)


def make_graph(python, kind, path):
    if not Path(python).exists():
        sys.exit(f"{python} does not exist: tools/setup/make_venv.sh build/venv-tensorflow tools/setup/requirements-tensorflow.txt "
                 "makes it, or name the graphs (--fp32-graph, --int8-graph)")
    model = DATA / "models" / "resnet50_v1.5_fp32.onnx.gz"
    subprocess.run([python, ROOT / "tests" / "import_tensorflow" / "make_graphs.py", model, path, kind, *([SAMPLE / "calib"] if kind == "int8" else [])],
                   check=True)
    return path


def make_records(program, images, folder):
    chosen = folder / "map.txt"
    chosen.write_text("".join((SAMPLE / "val_map.txt").read_text().splitlines(keepends=True)[:images]))
    subprocess.run([program, "dataset", "to-tfrecord", "--data", SAMPLE / "val", "--map", chosen, "--to", folder / "records", "--shards", "4"],
                   check=True, capture_output=True)
    return folder / "records"


def run(program, command, paths, output):
    arguments = shlex.split(command.format(**paths))
    place = arguments.index("--") if "--" in arguments else len(arguments)
    arguments[place:place] = ["--output-dir", str(output)]
    begin = time.monotonic()
    done = subprocess.run([program, "launch", *arguments], capture_output=True, text=True, errors="replace")
    return done, time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--fp32-graph")
    parser.add_argument("--int8-graph")
    parser.add_argument("--python", default=ROOT / "build" / "venv-tensorflow" / "bin" / "python3")
    parser.add_argument("--images", type=int, default=1000, help="of the validation sample")
    parser.add_argument("--output-dir", default="seed-commands", help="where logs, results and records go")
    parser.add_argument("--only", type=lambda text: [int(n) for n in text.split(",")], default=range(1, len(COMMANDS) + 1),
                        help="these commands, in this order: 1,5,6")
    options = parser.parse_args()
    if not set(options.only) <= set(range(1, len(COMMANDS) + 1)):
        parser.error(f"--only: expected numbers from 1 to {len(COMMANDS)}")
    if not SAMPLE.is_dir():
        sys.exit(f"{SAMPLE} does not exist (FOVEA_TEST_DATA)")
    failures, rows = 0, []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        fp32 = options.fp32_graph or make_graph(options.python, "plain", folder / "fp32.pb")
        int8 = options.int8_graph or make_graph(options.python, "int8", folder / "int8.pb")
        paths = {"fp32": fp32, "int8": int8, "bf16": fp32, "data": make_records(options.program, options.images, folder)}
        for number in options.only:
            command = COMMANDS[number - 1]
            precision = re.search(r"--precision (\w+)", command).group(1)
            what = ("accuracy" + (" with results" if "--output-results" in command else "") if is_accuracy(command) else f"{steps_of(command)} steps")
            row = [number, precision, what, batch_of(command)]
            if precision == "bfloat16" and not has_bf16():
                rows.append([*row, "-", "-", "skipped: this CPU has no AVX512_BF16"])
                continue
            print(f"[{number}/{len(COMMANDS)}] fovea launch {command}", flush=True)
            done, seconds = run(options.program, command, paths, options.output_dir)
            missing = missing_lines(command, done.stdout, options.images)
            if done.returncode != 0 or missing:
                failures += 1
                print(done.stdout[-3000:] + done.stderr[-3000:])
                print("".join(f"MISSING LINE: {line}\n" for line in missing), end="")
            rows.append([*row, done.returncode, f"{seconds:.1f}", figures(done.stdout) + (", LINES MISSING" if missing else "")])
            print(f"        {rows[-1][-1]} ({seconds:.1f} s)", flush=True)
    print("\n| # | precision | runs | batch | exit | seconds | figures |\n|--:|---|---|--:|--:|--:|---|")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
