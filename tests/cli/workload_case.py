"""One case of `fovea workload`, run as a user runs it but for fewer steps: exit code, lines, figures, record.

Usage: workload_case.py PATH_OF_FOVEA NAME. Gated and latency cases run resnet50 itself with synthetic weights; the
others, whose batches are large, a small network of the test data. Exit code 77: this CPU, or the test data, lack what
the case needs, which is then the last line.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")
VAL, VAL_MAP = DATA / "imagenet-sample" / "val", DATA / "imagenet-sample" / "val_map.txt"
SCHEMA = ROOT / "docs" / "run_record.schema.json"
OK, UNSUPPORTED, SKIPPED = 0, 4, 77
STEPS, IMAGES = 4, 20
BATCHES = {"fp32": 64, "int8": 116, "bfloat16": 80, "bfloat32": 64}
NUMBER = r"\d+\.\d{3}"


class Failure(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failure(what)


def expect_lines(text, *patterns):
    for pattern in patterns:
        expect(re.search(f"^{pattern}$", text, re.M), f"no line {pattern!r}")


def small_network(case):
    return DATA / "models" / f"mobilenet_v1_0.25_128_{'qdq' if case['precision'].endswith('int8') else 'fp32'}.onnx"


def find(program, name):
    done = subprocess.run([program, "workload", "--list", "--json"], capture_output=True, text=True, timeout=60, check=True)
    case = next((c for c in json.loads(done.stdout)["cases"] if c["name"] == name), None)
    expect(case, f"{name} is not in the list")
    case["mode"] = re.search(r"_inference_(throughput|latency|accuracy)_", name).group(1)
    case["precision"] = re.search(r"(avx|amx)_[a-z0-9]+", name).group(0)
    case["type"] = name.rsplit("_", 1)[1] if name.endswith(("_gated", "_pkm")) else ""
    case["whole_network"] = case["type"] == "gated" or case["mode"] == "latency"
    return case


def arguments_of(case, folder):
    if case["mode"] == "accuracy":
        few = folder / "few.txt"
        few.write_text("".join(VAL_MAP.read_text().splitlines(keepends=True)[:IMAGES]))
        return ["--in-graph", small_network(case), "--data-location", VAL, "--map", few]
    return ["--steps", STEPS] + ([] if case["whole_network"] else ["--in-graph", small_network(case)])


def check_speed(case, text, record, folder):
    batch = 1 if case["type"] == "gated" or case["mode"] == "latency" else BATCHES[case["precision"].split("_")[1]]
    instances = record["instances"]
    logs = text
    if len(instances) > 1:
        expect_lines(text, rf"Total aggregated Throughput {NUMBER}")
        logs = next(folder.glob("*_all_instances.log")).read_text()
    expect_lines(logs, r"Inference with dummy data\.", rf"Iteration {STEPS}: \d+\.\d{{6}} sec", r"Average time: \d+\.\d{6} sec",
                 f"Batch size = {batch}", rf"Throughput: {NUMBER} images/sec")
    if batch == 1:
        expect_lines(logs, rf"Latency: {NUMBER} ms")
    if case["whole_network"]:
        expect_lines(text, r"No --in-graph: resnet50 with SYNTHETIC weights .*")
        expect(record["model"]["name"] == "resnet50" and record["model"]["synthetic"], "the network is not resnet50")
    expect(record["batch"] == batch, f"batch {record['batch']}, expected {batch}")
    for instance in instances:
        expect(len(instance["samples_ms"]) == STEPS - STEPS // 4, "another number of measured steps")
    rate = sum(1000 * batch * len(i["samples_ms"]) / sum(i["samples_ms"]) for i in instances)
    shown = float(re.search(rf"^\*?throughput \(images/sec\): ({NUMBER})$", text, re.M).group(1))
    expect(abs(rate - shown) <= 0.01 + 1e-3 * rate, f"throughput {shown}, the samples say {rate}")


def check_accuracy(text, record):
    line = re.search(rf"^Processed {IMAGES} images\. \(Top1 accuracy, Top5 accuracy\) = \((0\.\d{{4}}|1\.0000), (0\.\d{{4}}|1\.0000)\)$", text, re.M)
    expect(line, "no line of the accuracy of all images")
    expect_lines(text, r"Inference with real data\.", r"Iteration time: \d+\.\d{4} ms")
    expect(abs(record["accuracy"]["top1"] - 100 * float(line.group(1))) < 0.01, "the record has another accuracy")
    expect(float(line.group(1)) >= 0.2, "a network that was trained cannot be that bad")


def check(case, done, folder):
    text = done.stdout
    expect(done.returncode == OK, f"exit code {done.returncode}")
    expect("#INVALID RESULT" not in text and "PARTIAL" not in text, "the run is not valid")
    expect_lines(text, r"Running\.\.\.", r"Summary\.\.\.", "Run inference", f"##PRECISION: {case['precision']}", f"##MODE: {case['mode']}",
                 f"##CASE_TYPE: {case['type']}", r"Ran inference with batch size \d+",
                 r"Log location outside container: .*/benchmark_resnet50_inference_\w+_\d{8}_\d{6}(_\d+)?\.log")
    primary = re.findall(r"^\*(.+) \(.+\): ([-\d.]+)$", text, re.M)
    expect(len(primary) == 1, f"{len(primary)} primary figures")
    expect(primary[0][0] == {"throughput": "throughput", "latency": "average latency", "accuracy": "accuracy"}[case["mode"]], f"the primary figure is {primary[0][0]}")
    expect(float(primary[0][1]) > 0, f"{primary[0]} is not positive")
    record = json.loads(next(folder.glob("benchmark_*.json")).read_text())
    missing = [key for key in json.loads(SCHEMA.read_text())["required"] if key not in record]
    expect(not missing, f"the record lacks {missing}")
    expect(record["verdict"]["state"] == "valid" and record["name"] == case["name"], f"verdict {record['verdict']}, case {record['name']}")
    if case["mode"] == "accuracy":
        check_accuracy(text, record)
    else:
        check_speed(case, text, record, folder)


def main():
    program, name = sys.argv[1:]
    case = find(program, name)
    if not case["runs_here"]:
        refused = subprocess.run([program, "workload", "resnet50", name], capture_output=True, text=True, timeout=60)
        expect(refused.returncode == UNSUPPORTED and case["obstacle"] in refused.stderr, f"exit code {refused.returncode}: {refused.stderr}")
        print(f"SKIPPED: {name} {case['obstacle']}")
        return SKIPPED
    if not case["whole_network"] and not small_network(case).exists():
        print(f"SKIPPED: no test data at {DATA} (set FOVEA_TEST_DATA)")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        done = subprocess.run([program, "workload", "resnet50", name, *map(str, arguments_of(case, folder)), "--output-dir", str(folder)],
                              capture_output=True, text=True, timeout=280, errors="replace")
        print(done.stdout + done.stderr)
        check(case, done, folder)
    return OK


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
