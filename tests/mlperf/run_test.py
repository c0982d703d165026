"""fovea mlperf run and audit from outside: short real runs through the official LoadGen with small networks.

Usage: run_test.py PATH_OF_FOVEA FOLDER_OF_LOADGEN. Exits 77 (skipped), saying so, without LoadGen or the test data.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

LOADGEN = sys.argv.pop(2)
PROGRAM = sys.argv.pop(1)
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")
ENVIRONMENT = {**os.environ, "FOVEA_TEST_DATA": str(DATA)}
MODEL = "mobilenet-v1-0.25-128"
OK, USAGE, BAD_INPUT, UNSUPPORTED, PERFORMANCE, INTERRUPTED = 0, 2, 3, 4, 6, 9


def fovea(*arguments, timeout=120):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          env=ENVIRONMENT, errors="replace")


class RunTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="fovea-mlperf-"))
        lines = (DATA / "imagenet-sample" / "val_map.txt").read_text().splitlines()[:100]
        cls.images = DATA / "imagenet-sample" / "val"
        cls.map = cls.folder / "map.txt"
        cls.map.write_text("\n".join(lines) + "\n")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def common(self, logs, *more):
        return ["--benchmarks", MODEL, "--data", self.images, "--map", self.map, "--loadgen", LOADGEN, "--sample_cache",
                self.folder / "samples", "--system_name", "here", "--logs", self.folder / logs, "--min_duration", "0.3",
                "--min_query_count", "64", *more]

    def run_mlperf(self, logs, *more):
        return fovea("mlperf", "run", *self.common(logs, *more))

    def test_all_scenarios_and_accuracy_as_eval_has_it(self):
        # Timing decides between VALID and INVALID on a busy machine: both are whole results here.
        result = self.run_mlperf("all", "--scenarios", "SingleStream,MultiStream,Server,Offline", "--test_mode", "SubmissionRun",
                                 "--target_qps", "50", "--json")
        self.assertIn(result.returncode, (OK, PERFORMANCE), result.stderr)
        record = json.loads(result.stdout)
        self.assertTrue(record["complete"])
        self.assertEqual(len(record["results"]), 8)
        evaluated = json.loads(fovea("eval", "--model", MODEL, "--data", self.images, "--map", self.map, "--json", "-q").stdout)
        for test in record["results"]:
            folder = Path(test["folder"])
            for name in ("mlperf_log_summary.txt", "mlperf_log_detail.txt", "run.json"):
                self.assertTrue((folder / name).is_file(), folder / name)
            self.assertTrue(any("data set has 100 samples" in why for why in test["not_a_valid_submission"]))
            if test["mode"] == "AccuracyOnly":
                self.assertEqual((test["good"], test["total"]), (evaluated["top1_hits"], 100))
                text = (folder / "accuracy.txt").read_text()
                self.assertTrue(text.startswith(f"accuracy={evaluated['top1']:.3f}%, good={evaluated['top1_hits']}, total=100\n"))
                self.assertIn("hash=", text)
            else:
                self.assertGreater(test["value"], 0)
        self.assertEqual([p for p in (self.folder / "all").rglob("*.incomplete")], [])
        # A second call finds everything there and runs nothing.
        again = self.run_mlperf("all", "--scenarios", "Offline", "--target_qps", "50")
        self.assertIn("already there, not run again", again.stdout)

    def test_audits(self):
        options = ("--scenarios", "SingleStream", "--rules", "v1.0")
        missing = fovea("mlperf", "audit", "test01", *self.common("audit", *options))
        self.assertEqual(missing.returncode, BAD_INPUT)
        self.assertIn("is missing; run", missing.stderr)
        self.run_mlperf("audit", *options, "--test_mode", "SubmissionRun")
        scenario = self.folder / "audit" / "here" / MODEL / "SingleStream"
        for test in ("test01", "test04", "test05"):
            result = fovea("mlperf", "audit", test, *self.common("audit", *options))
            self.assertIn(result.returncode, (OK, PERFORMANCE), result.stderr)
        self.assertTrue((scenario / "TEST01" / "verify_accuracy.txt").read_text().endswith("TEST PASS\n"))
        for audit in ("TEST01", "TEST04-A", "TEST05"):
            self.assertIn("TEST ", (scenario / audit / "verify_performance.txt").read_text())
        detail = lambda audit: (scenario / audit / "performance" / "run_1" / "mlperf_log_detail.txt").read_text()
        self.assertIn('"effective_performance_issue_same", "value": true', detail("TEST04-B"))
        self.assertIn('"effective_performance_issue_unique", "value": true', detail("TEST04-A"))
        self.assertIn('"effective_qsl_rng_seed", "value": 313588358309856706', detail("TEST05"))
        self.assertIn('"effective_qsl_rng_seed", "value": 7322528924094909334', detail("TEST01"))

    def test_a_bad_sample_is_named_and_leaves_an_incomplete_folder(self):
        images = self.folder / "bad"
        images.mkdir()
        for i, line in enumerate(self.map.read_text().splitlines()[:20]):
            name = line.split()[0]
            if i == 7:
                (images / name).write_bytes(b"no image")
                bad = name
            else:
                shutil.copy(self.images / name, images / name)
        arguments = self.common("bad-logs", "--scenarios", "SingleStream", "--test_mode", "AccuracyOnly")
        arguments[arguments.index("--data") + 1] = images
        short = self.folder / "short.txt"
        short.write_text("\n".join(self.map.read_text().splitlines()[:20]) + "\n")
        arguments[arguments.index("--map") + 1] = short
        result = fovea("mlperf", "run", *arguments)
        self.assertEqual(result.returncode, BAD_INPUT, result.stderr)
        self.assertIn("sample 7", result.stderr)
        self.assertIn(bad, result.stderr)
        left = self.folder / "bad-logs" / "here" / MODEL / "SingleStream"
        self.assertFalse((left / "accuracy").exists())
        self.assertIn("sample 7", (left / "accuracy.incomplete" / "error.txt").read_text())

    def start_long_run(self, logs, scenario):
        arguments = self.common(logs, "--scenarios", scenario, "--target_qps", "20")
        arguments[arguments.index("--min_duration") + 1] = "60"
        process = subprocess.Popen([PROGRAM, "mlperf", "run", *map(str, arguments)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        folder = self.folder / logs / "here" / MODEL / scenario / "performance" / "run_1.incomplete"
        for _ in range(600):
            if (folder / "mlperf_log_detail.txt").exists():
                return process, folder
            time.sleep(0.05)
        process.kill()
        self.fail(f"{folder} did not appear: {process.communicate()[1]}")

    def test_interruption_ends_soon_and_killing_leaves_what_is_incomplete(self):
        process, folder = self.start_long_run("stopped", "Server")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=40)
        self.assertEqual(process.returncode, INTERRUPTED, errors)
        self.assertIn("interrupted", errors)
        self.assertFalse((folder.parent / "run_1").exists())
        process, folder = self.start_long_run("killed", "SingleStream")
        process.kill()
        process.communicate()
        self.assertTrue(folder.exists())
        self.assertFalse((folder.parent / "run_1").exists())

    def test_usage(self):
        for arguments, code, words in (
                (["--scenarios", "Offlin"], USAGE, "unknown scenario 'Offlin'"),
                (["--config_ver", "triton"], UNSUPPORTED, "fovea serve"),
                (["--test_mode", "Fast"], USAGE, "unknown test mode"),
                (["--rules", "v0.1"], USAGE, "v0.1"),
                (["--rules", "v1.0", "--scenarios", "MultiStream"], UNSUPPORTED, "fixed interval")):
            result = self.run_mlperf("usage", *arguments)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(words, result.stderr)
        absent = fovea("mlperf", "loadgen", "--loadgen", self.folder / "nowhere")
        self.assertEqual(absent.returncode, UNSUPPORTED)
        self.assertIn("pip install mlcommons-loadgen", absent.stderr)
        conf = self.folder / "user.conf"
        conf.write_text("*.*.min_duration = 5\n*.Server.target_qsp = 1\n")
        result = self.run_mlperf("usage", "--scenarios", "Offline", "--user_conf", conf)
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertIn("line 2", result.stderr)
        self.assertIn("target_qps", result.stderr)

    def test_the_cost_of_a_query_is_printed(self):
        result = fovea("mlperf", "loadgen", "--loadgen", LOADGEN, "--milliseconds", "200", "--json")
        self.assertEqual(result.returncode, OK, result.stderr)
        record = json.loads(result.stdout)
        self.assertGreater(record["queries"], 100)
        print(f"a query that computes nothing: {record['us_per_query']:.2f} us")


if __name__ == "__main__":
    if not (DATA / "README.md").is_file():
        print(f"SKIPPED: no test data at {DATA}")
        sys.exit(77)
    if fovea("mlperf", "loadgen", "--loadgen", LOADGEN, "--milliseconds", "10").returncode == UNSUPPORTED:
        print(f"SKIPPED: no LoadGen in {LOADGEN}; tools/setup/make_venv.sh {LOADGEN} tools/setup/requirements-loadgen.txt makes it")
        sys.exit(77)
    unittest.main()
