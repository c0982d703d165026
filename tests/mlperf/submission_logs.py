"""Logs of MLPerf runs for tests: LoadGen's own where its Python package is installed, otherwise ones in its format."""

import json
import subprocess
from pathlib import Path

SEEDS = {"v1.0": (7322528924094909334, 1570999273408051088, 3507442325620259414),
         "current": (2085463073848966840, 2747215439041700203, 16159082839903944936)}

# Runs a network that answers at once; what LoadGen writes does not depend on that.
REAL_RUN = """
import array, sys
import mlperf_loadgen as lg
folder, scenario, mode, conf = sys.argv[1:5]
kept = []
def issue(samples):
    responses = []
    for s in samples:
        a = array.array('i', [s.index % 1000]); kept.append(a)
        responses.append(lg.QuerySampleResponse(s.id, a.buffer_info()[0], 4))
    lg.QuerySamplesComplete(responses)
s = lg.TestSettings()
s.FromConfig(conf, "resnet50", scenario)
s.scenario = getattr(lg.TestScenario, scenario); s.mode = getattr(lg.TestMode, mode)
l = lg.LogSettings(); l.log_output.outdir = folder; l.log_output.copy_summary_to_stdout = False; l.enable_trace = False
sut = lg.ConstructSUT(issue, lambda: None); qsl = lg.ConstructQSL(2000, 1024, lambda x: None, lambda x: None)
lg.StartTestWithLogSettings(sut, qsl, s, l, "audit.config")
lg.DestroyQSL(qsl); lg.DestroySUT(sut)
"""


def has_loadgen(python):
    return bool(python) and Path(python).exists() and subprocess.run([python, "-c", "import mlperf_loadgen"], capture_output=True).returncode == 0


def real_run(python, folder, scenario, mode, conf):
    folder.mkdir(parents=True, exist_ok=True)
    conf.write_text(f"*.{scenario}.target_latency = 0.01\n*.{scenario}.target_qps = 20000\n*.*.min_duration = 300\n")
    subprocess.run([python, "-c", REAL_RUN, str(folder), scenario, mode, str(conf)], check=True, timeout=120,
                   capture_output=True)


def write_run(folder, scenario, mode, version="v1.0", **changes):
    """A valid, complete run in LoadGen's format."""
    performance = mode == "PerformanceOnly"
    seeds = SEEDS[version]
    values = {"loadgen_version": "6.0.17 @ d6147c7eb7", "effective_scenario": scenario, "effective_test_mode": mode,
              "effective_qsl_rng_seed": seeds[0], "effective_sample_index_rng_seed": seeds[1],
              "effective_schedule_rng_seed": seeds[2], "effective_performance_sample_count": 1024,
              "qsl_reported_total_count": 50000, "effective_accuracy_sample_count": 50000,
              "effective_min_duration_ms": 600000, "effective_target_qps": 507.7,
              "effective_min_query_count": 1 if scenario == "Offline" else 1024,
              "effective_samples_per_query": 30000 if scenario == "Offline" else 1}
    if performance:
        values |= {"result_validity": "VALID", "early_stopping_met": True, "early_stopping_latency_ss": 3100000,
                   "result_samples_per_second": 507.7, "result_90.00_percentile_latency_ns": 3000000,
                   "result_99.00_percentile_latency_ns": 9000000}
    values |= changes
    folder.mkdir(parents=True, exist_ok=True)
    lines = [":::MLLOG " + json.dumps({"key": k, "value": v, "time_ms": 0.03, "namespace": "mlperf::logging",
                                       "event_type": "POINT_IN_TIME", "metadata": {"is_error": False, "is_warning": False}})
             for k, v in values.items()]
    (folder / "mlperf_log_detail.txt").write_text("\n".join(lines) + "\n")
    result = "Result is : VALID\n" if performance else ""
    (folder / "mlperf_log_summary.txt").write_text(
        result + "\nNo warnings encountered during test.\n\nNo errors encountered during test.\n")


def write_accuracy(folder, answers=1000, figure="accuracy=75.900%, good=37950, total=50000"):
    rows = ",\n".join(f'{{ "seq_id" : {i}, "qsl_idx" : {i}, "data" : "{i % 1000:02X}000000" }}' for i in range(answers))
    (folder / "mlperf_log_accuracy.json").write_text(f"[\n{rows}\n]\n")
    (folder / "accuracy.txt").write_text(figure + "\n")
