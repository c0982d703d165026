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
OK, USAGE, BAD_INPUT, UNSUPPORTED, PERFORMANCE, RESOURCE, INTERRUPTED = 0, 2, 3, 4, 6, 8, 9


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
                                 "--target_qps", "400", "--json")
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
        # The page of results lies with the logs; it can be made again.
        page = self.folder / "all" / "results.html"
        self.assertEqual(record["page"], str(page))
        for part in ("limit ", "p99 counts", "p90 counts", "trial",
                     "not a valid submission", "SingleStream", "MultiStream", "Server", "Offline", "TEST01 missing"):
            self.assertIn(part, page.read_text())
        report = fovea("mlperf", "report", self.folder / "all", "-o", self.folder / "again.html", "--title", "A & B", "--json")
        self.assertEqual(report.returncode, OK, report.stderr)
        self.assertIn("<h1>A &amp; B</h1>", (self.folder / "again.html").read_text())
        shown = {r["scenario"]: r["performance"][0]["value"] for r in json.loads(report.stdout)["results"]}
        self.assertEqual(shown, {t["scenario"]: t["value"] for t in record["results"] if t["mode"] == "PerformanceOnly"})
        # A second call finds everything there and runs nothing.
        again = self.run_mlperf("all", "--scenarios", "Offline", "--target_qps", "400")
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

    def test_a_map_that_names_a_file_twice_is_told(self):
        lines = self.map.read_text().splitlines()[:20]
        repeated = self.folder / "repeated.txt"
        repeated.write_text("\n".join(lines + lines[:3]) + "\n")
        arguments = self.common("repeated-logs", "--scenarios", "SingleStream", "--test_mode", "AccuracyOnly")
        arguments[arguments.index("--map") + 1] = repeated
        result = fovea("mlperf", "run", *arguments)
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertIn("3 of 23 samples have the file of an earlier one", result.stdout)

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

    def test_a_missing_image_ends_a_long_run_soon(self):
        images = self.folder / "missing"
        images.mkdir()
        lines = self.map.read_text().splitlines()[:20]
        for line in lines[:-1]:
            shutil.copy(self.images / line.split()[0], images)
        short = self.folder / "missing.txt"
        short.write_text("\n".join(lines) + "\n")
        for scenario in ("Server", "Offline", "SingleStream"):
            arguments = self.common("missing-logs", "--scenarios", scenario, "--target_qps", "400", "--server_cores", "1")
            arguments[arguments.index("--data") + 1] = images
            arguments[arguments.index("--map") + 1] = short
            arguments[arguments.index("--min_duration") + 1] = "600"
            result = fovea("mlperf", "run", *arguments)  # a hang would be cut off and fail
            self.assertEqual(result.returncode, BAD_INPUT, result.stderr)
            self.assertIn("sample 19", result.stderr)
            self.assertIn(lines[-1].split()[0], result.stderr)

    def test_a_full_disk_is_an_error_and_no_result(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=72m", "tmpfs", disk], capture_output=True, text=True)
        if mount.returncode != 0:
            print(f"SKIPPED: a full disk (mount says: {mount.stderr.strip()})")
            self.skipTest("mount is refused")
        try:
            process, folder = self.start_long_run("disk", "Server", seconds="3")
            self.fill(disk)
            output, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, RESOURCE, errors)
            self.assertIn("disk is full", errors)
            self.assertNotIn("VALID", output)
            self.assertTrue(folder.exists())
            self.assertFalse((folder.parent / "run_1").exists())
            # Too full before it starts: not even begun.
            with open(disk / "filler", "r+b") as filler:
                filler.truncate(30 << 20)
            result = self.run_mlperf("disk", "--scenarios", "Offline", "--target_qps", "100")
            self.assertEqual(result.returncode, RESOURCE, result.stderr)
            self.assertIn("MiB free, the logs of this test may need", result.stderr)
        finally:
            subprocess.run(["umount", disk], check=True)

    def fill(self, disk):
        with open(disk / "filler", "wb", buffering=0) as filler:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError:
                    pass

    def start_long_run(self, logs, scenario, seconds="60"):
        arguments = self.common(logs, "--scenarios", scenario, "--target_qps", "20")
        arguments[arguments.index("--min_duration") + 1] = seconds
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
        # Even where somebody gives the folder a whole run's name, `check` says what it is.
        tree = self.folder / "killed-tree"
        run = tree / "open/Acme/results/here/resnet50/SingleStream/performance/run_1"
        shutil.copytree(folder, run)
        (tree / "open/Acme/systems").mkdir()
        (tree / "open/Acme/systems/here.json").write_text(
            '{"submitter": "Acme", "division": "open", "status": "available", "system_type": "edge"}')
        checked = fovea("mlperf", "check", tree, "--version", "v1.0", "--json")
        self.assertEqual(checked.returncode, BAD_INPUT, checked.stderr)
        record = json.loads(checked.stdout)
        self.assertNotEqual(record["verdict"], "ok")
        self.assertIn("performance.unfinished", json.dumps(record))

    def test_the_cores_of_server_are_chosen_and_recorded(self):
        result = self.run_mlperf("cores", "--scenarios", "Server", "--target_qps", "400", "--threads", "2",
                                 "--server_order", "deadline")
        self.assertIn(result.returncode, (OK, PERFORMANCE), result.stderr)
        self.assertIn("queries in order of their deadlines", result.stdout)
        record = json.loads((self.folder / "cores/here" / MODEL / "Server/performance/run_1/run.json").read_text())
        tried = record["server"]["arrangement"]["tried"]
        self.assertEqual([(a["cores_per_worker"], a["workers"]) for a in tried], [(1, 2), (2, 1)])
        self.assertIn(record["cores_per_worker"], (1, 2))
        self.assertEqual(record["workers"] * record["cores_per_worker"], 2)
        self.assertEqual(record["server"]["order"], "deadline")
        fixed = self.run_mlperf("cores-fixed", "--scenarios", "Server", "--target_qps", "400", "--threads", "2", "--server_cores", "2")
        self.assertIn(fixed.returncode, (OK, PERFORMANCE), fixed.stderr)
        self.assertIn("1 worker of 2 cores", fixed.stdout)
        self.assertIn("in order of arrival", fixed.stdout)  # what the current rules permit

    def test_usage(self):
        for arguments, code, words in (
                (["--scenarios", "Offlin"], USAGE, "unknown scenario 'Offlin'"),
                (["--config_ver", "triton"], UNSUPPORTED, "fovea serve"),
                (["--test_mode", "Fast"], USAGE, "unknown test mode"),
                (["--rules", "v0.1"], USAGE, "v0.1"),
                (["--threads", "2", "--server_cores", "3", "--scenarios", "Server"], USAGE, "divides the 2 cores"),
                (["--server_order", "random", "--scenarios", "Server"], USAGE, "arrival, deadline"),
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
