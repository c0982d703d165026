"""`fovea workload` from outside: the list of cases, parameters, KPI lines, sweeps. workload_case.py runs the cases.

Usage: workload_test.py PATH_OF_FOVEA. Runs have few steps of one image.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = sys.argv.pop(1)
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")
FP32 = DATA / "models" / "mobilenet_v1_0.25_128_fp32.onnx"
OK, USAGE, BAD_INPUT, UNSUPPORTED = 0, 2, 3, 4
STEM = "test_resnet50v1_5_tensorflow_xeon_public_"


def run(*arguments, env=None, timeout=300):
    return subprocess.run([PROGRAM, "workload", *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})}, errors="replace")


def cases():
    return json.loads(run("--list", "--json").stdout)["cases"]


class WorkloadTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def expect_error(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def workload(self, *arguments, **options):
        return run("resnet50", *arguments, "--output-dir", self.folder, **options)


class Cases(WorkloadTest):
    def test_the_list_names_them_all(self):
        text = run("--list").stdout
        for name in ("inference_throughput_amx_bfloat16", "inference_latency_amx_bfloat16", "inference_accuracy_amx_bfloat16",
                     "inference_throughput_amx_bfloat16_gated", "inference_throughput_amx_bfloat16_pkm", "inference_throughput_avx_int8_gated",
                     "inference_accuracy_avx_fp32", "inference_latency_amx_int8", "inference_throughput_amx_bfloat32"):
            for infix in ("", "sgx_"):
                self.assertRegex(text, rf"Test +#\d+: {STEM}{infix}{name}( |\n)")
        self.assertEqual(len(cases()), 60)
        self.assertIn("Intel SGX", text)
        if "amx_int8" not in Path("/proc/cpuinfo").read_text():
            self.assertIn("needs AMX-INT8", text)

    def test_cases_that_cannot_run_say_what_is_missing(self):
        for case in cases():
            if case["runs_here"]:
                continue
            self.expect_error(self.workload(case["name"]), UNSUPPORTED, case["obstacle"])
        self.expect_error(self.workload("inference_throughput_avx_fp33"), USAGE, "avx_fp32")
        self.expect_error(self.workload("training_throughput_avx_fp32"), UNSUPPORTED, "not in this version")
        self.expect_error(self.workload(env={"FUNCTION": "training"}), UNSUPPORTED, "not in this version")


@unittest.skipUnless(FP32.exists(), f"no test data at {DATA} (set FOVEA_TEST_DATA)")
class Parameters(WorkloadTest):
    def test_flags_come_before_the_environment_before_the_file(self):
        file = self.folder / "parameters.yaml"
        file.write_text(f"mode: latency\nPRECISION: avx_fp32\nSTEPS: 4\nBATCH_SIZE: 3\nCORES_PER_INSTANCE: 1\nIN_GRAPH: {FP32}\n")
        result = self.workload("--config", file, "--steps", 8, env={"STEPS": "12", "BATCH_SIZE": "2"})
        self.assertEqual(result.returncode, OK, result.stderr)
        for line in ("##MODE: latency", "##STEPS: 8", "##BATCH_SIZE: 2", "##CORES_PER_INSTANCE: 1", "##FUNCTION: inference", "##DATA_TYPE: dummy"):
            self.assertIn(line + "\n", result.stdout)
        self.assertIn("Running...\n", result.stdout)
        self.assertIn("Summary...\n", result.stdout)

    def test_the_figures_are_the_samples(self):
        result = self.workload("--mode", "latency", "--precision", "avx_fp32", "--steps", 12, "--cores-per-instance", 1, "--in-graph", FP32)
        self.assertEqual(result.returncode, OK, result.stderr)
        record = json.loads(next(self.folder.glob("*.json")).read_text())
        samples = [s for i in record["instances"] for s in i["samples_ms"]]
        self.assertEqual(len(samples), 9 * len(record["instances"]))  # the first quarter is warm-up
        mean = float(re.search(r"^\*average latency \(msec/batch\): ([\d.]+)$", result.stdout, re.M).group(1))
        self.assertAlmostEqual(mean, sum(samples) / len(samples), delta=0.001)
        total = float(re.search(r"^throughput \(images/sec\): ([\d.]+)$", result.stdout, re.M).group(1))
        self.assertAlmostEqual(total, sum(1000 * 9 / sum(i["samples_ms"]) for i in record["instances"]), delta=0.01)
        self.assertAlmostEqual(float(re.search(r"^Max Latency \(msec/batch\): ([\d.]+)$", result.stdout, re.M).group(1)), max(samples), delta=0.001)

    def test_more_cores_than_there_are_is_said_aloud(self):
        result = self.workload("--mode", "latency", "--precision", "avx_fp32", "--steps", 4, "--cores-per-instance", 60000, "--in-graph", FP32)
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertIn("CORES_PER_INSTANCE is 60000", result.stderr)

    def test_customer_env_reaches_the_program(self):
        result = self.workload("--precision", "avx_fp32", "--customer-env", "FOVEA_ISA=avx1024", "--in-graph", FP32)
        self.expect_error(result, USAGE, "avx1024")

    def test_bad_parameters(self):
        self.expect_error(self.workload("--mode", "speed"), USAGE, "MODE", "throughput")
        self.expect_error(self.workload("--batch-size", "many"), USAGE, "BATCH_SIZE")
        self.expect_error(self.workload("--mode", "accuracy"), USAGE, "DATA_LOCATION")
        self.expect_error(self.workload("--num-mpi", "2"), UNSUPPORTED, "NUM_MPI")
        self.expect_error(self.workload("--precision", "avx_fp32", "--weight-sharing"), UNSUPPORTED, "WEIGHT_SHARING")
        self.expect_error(self.workload("--customer-env", "X"), USAGE, "CUSTOMER_ENV")
        file = self.folder / "bad.yaml"
        for text, words in (("- a\n", "map"), ("STEP: 3\n", "STEPS"), ("MODE: [a\n", "line"), ("STEPS: [1, 2]\n", "one value")):
            file.write_text(text)
            self.expect_error(self.workload("--config", file), BAD_INPUT, "bad.yaml", words)
        self.expect_error(self.workload("--config", self.folder / "none.yaml"), BAD_INPUT, "none.yaml")
        self.expect_error(run("resnet51"), USAGE, "resnet50")
        self.expect_error(run(), USAGE, "--list")

    def test_a_sweep_goes_on_where_it_was(self):
        arguments = ["sweep", "--precisions", "avx_fp32", "--cores", "1", "--steps", 4, "--in-graph", FP32, "--output-dir", self.folder]
        first = run(*arguments, "--batch-sizes", "1")
        self.assertEqual(first.returncode, OK, first.stderr)
        before = json.loads((self.folder / "sweep.json").read_text())["points"]
        second = run(*arguments, "--batch-sizes", "1,2")
        self.assertEqual(second.returncode, OK, second.stderr)
        points = json.loads((self.folder / "sweep.json").read_text())["points"]
        self.assertEqual([p["batch"] for p in points], [1, 2])
        self.assertEqual(points[0], before[0])
        self.assertRegex(second.stdout, r"\| avx_fp32 +\| \d+ +\| +1 \| .* \| \d+ \|")
        self.expect_error(run(*arguments[:5], "--steps", 5, "--in-graph", FP32, "--output-dir", self.folder), USAGE, "other settings")


if __name__ == "__main__":
    unittest.main(verbosity=1)
