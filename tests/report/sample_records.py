"""Run records for the tests of reports, made from a seed: one with everything, one with nothing but what must be there."""

import math
import random

SCHEMA = "fovea-run-record-1"


def quantile(ordered, q):
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def latency(samples):
    ordered = sorted(samples)
    mean = sum(ordered) / len(ordered)
    spread = math.sqrt(sum((v - mean) ** 2 for v in ordered) / (len(ordered) - 1))
    half = 0.98 * math.sqrt(len(ordered))
    middle = len(ordered) / 2
    return {"count": len(ordered), "mean": mean, "min": ordered[0], "max": ordered[-1], "p50": quantile(ordered, 0.5),
            "p90": quantile(ordered, 0.9), "p99": quantile(ordered, 0.99),
            "median_ci95_low": ordered[int(middle - half)], "median_ci95_high": ordered[int(middle + half)],
            "coefficient_of_variation": spread / mean}


def samples(seed, count=600, level=10.0):
    rng = random.Random(seed)
    return [level * (1 + 0.02 * abs(rng.gauss(0, 1)) + (0.3 if rng.random() < 0.01 else 0)) for _ in range(count)]


def layers(seed, count=54):
    rng = random.Random(seed)
    made = []
    for i in range(count):
        pool = i % 18 == 17
        macs = 0 if pool else rng.uniform(2e7, 4e8)
        size = rng.uniform(2e5, 8e6)
        percent = rng.uniform(25, 92)
        bound = "DRAM" if pool or size > 5e6 else "L2" if size < 1e6 and macs < 6e7 else "compute"
        ms = (max(macs / 600e9, size / 22e9) * 1e3) / (percent / 100)
        made.append({"name": f"layer{i // 12 + 1}/block_{i % 12}/{'pool' if pool else 'conv'}_{i}", "op": "MaxPool" if pool else "FusedQConv",
                     "tactic": "pool_rows" if pool else "qconv_gemm", "ms": ms, "macs": macs, "bytes": size,
                     "percent_of_peak": percent, "bound": bound})
    return made


def full_record(seed=1, level=10.0, mistakes=()):
    each = [samples(seed + i, level=level) for i in range(2)]
    both = each[0] + each[1]
    instances = [{"index": i, "state": "finished", "exit": 0, "cores": [2 * i, 2 * i + 1], "numa_node": 0, "images": 16 * len(s),
                  "seconds": sum(s) / 1e3, "images_per_s": 16e3 * len(s) / sum(s), "latency_ms": latency(s), "samples_ms": s}
                 for i, s in enumerate(each)]
    return {
        "schema": SCHEMA, "kind": "launch", "name": "", "started_utc": "2026-11-24T01:02:03Z",
        "settings": [{"key": "batch-size", "value": "16"}, {"key": "steps", "value": "600"}, {"key": "weight-sharing", "value": "yes"}],
        "command": ["fovea", "launch", "--model-name", "resnet50", "--precision", "int8", "--batch-size", "16"],
        "tool": {"name": "fovea", "version": "0.1.0", "compiler": "12.2.0"},
        "machine": {"cpu": "AMD EPYC 9454 48-Core Processor", "isa": "vnni", "usable_threads": 4, "cores": 4, "l2_bytes": 1 << 20,
                    "l3_bytes": 32 << 20, "memory_bytes": 64 << 30, "kernel": "Linux 6.1.0", "governor": "performance"},
        "model": {"name": "resnet50", "precision": "int8", "file": "/models/resnet50_int8.onnx", "sha256": "ab" * 32,
                  "synthetic": False, "macs": 4.1e9},
        "data": {"name": "imagenet", "path": "/data/imagenet/val", "sha256": "cd" * 32, "images": 50000},
        "batch": 16, "threads_per_instance": 2, "instances": instances, "warm_up_runs": 40, "images": 32 * 600, "seconds": 6.3,
        "images_per_s": sum(i["images_per_s"] for i in instances), "percent_of_peak": 63.4, "latency_ms": latency(both),
        "accuracy": {"top1": 74.6, "top5": 92.8, "images": 1000, "failed": 1, "unlabelled": 0, "mistakes": list(mistakes)},
        "layers": layers(seed),
        "peak": {"threads": 4, "fp32_gmacs_per_s": 151.2, "bf16_gmacs_per_s": 301.9, "int8_gmacs_per_s": 603.1,
                 "read_gbytes_per_s": 22.4, "l2_gbytes_per_s": 204.0},
        "noise": {"verdict": "quiet", "reasons": [], "steal_percent": 0.02, "voluntary_switches": 31, "involuntary_switches": 12,
                  "clock_before_mhz": 3710.0, "clock_after_mhz": 3705.0, "peak_change_percent": -0.4, "other_load_percent": 0.6,
                  "throttled": 0},
        "memory": {"peak_resident_bytes": 312 << 20, "weights_bytes": 26 << 20, "arena_bytes": 12 << 20},
        "energy": {"joules": 812.4, "watts": 128.9, "absent_because": ""},
        "verdict": {"state": "valid", "reasons": []}, "points": [],
    }


def sweep_record():
    record = full_record()
    record.update(kind="sweep", instances=[], accuracy=None, layers=[])
    del record["accuracy"]
    record["latency_ms"] = {"count": 0}
    record["images_per_s"] = 0
    record["points"] = [
        {"batch": batch, "instances": instances, "cores_per_instance": 2, "precision": precision,
         "images_per_s": rate * instances * (1 - 0.5 / (1 + batch)), "latency_ms": latency(samples(batch, 100)), "state": "valid"}
        for precision, rate in (("fp32", 90), ("bf16", 160), ("int8", 310)) for instances in (1, 2) for batch in (1, 4, 16, 64)]
    return record


def least_record():
    return {"schema": SCHEMA, "kind": "bench", "model": {"name": "m", "precision": "fp32"}, "verdict": {"state": "valid"}}


def hostile_record():
    """Every text is an attempt to become markup, script or a spreadsheet formula."""
    bad = "</script><script>document.title='broken in'</script><img src=x onerror=\"document.title='broken in'\">'\"&\u202e=1+1"
    record = full_record(mistakes=[{"file": bad, "actual": 1, "predicted": 2, "actual_name": bad, "predicted_name": bad,
                                    "probability": 0.9}])
    record["name"] = bad
    record["settings"] = [{"key": bad, "value": bad}]
    record["command"] = [bad]
    record["started_utc"] = bad
    record["machine"] = {bad: bad, "cpu": bad}
    record["tool"] = {bad: bad}
    for key in ("name", "file", "sha256"):
        record["model"][key] = bad
    record["data"] = {"name": bad, "path": bad, "sha256": bad, "images": 1}
    for layer in record["layers"]:
        layer.update(name=bad, op=bad, tactic=bad, bound=bad)
    record["noise"].update(verdict="noisy", reasons=[bad])
    record["verdict"] = {"state": "invalid", "reasons": [bad]}
    record["energy"] = {"absent_because": bad}
    return record
