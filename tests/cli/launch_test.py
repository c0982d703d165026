"""`fovea launch` from outside: the command lines of Intel's ResNet50 v1.5 page, its lines and files, instances that die.

Usage: launch_test.py PATH_OF_FOVEA. Needs no package beyond Python's own. Most runs are of a small network: it is the
launching that is tested.
"""

import csv
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from seed_commands import COMMANDS, has_bf16

PROGRAM = sys.argv.pop(1)
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")
FP32 = DATA / "models" / "mobilenet_v1_0.25_128_fp32.onnx"
INT8 = DATA / "models" / "mobilenet_v1_0.25_128_qdq.onnx"
VAL, VAL_MAP = DATA / "imagenet-sample" / "val", DATA / "imagenet-sample" / "val_map.txt"

OK, USAGE, BAD_INPUT, UNSUPPORTED, UNSTABLE, RESOURCE, INTERRUPTED = 0, 2, 3, 4, 7, 8, 9


def cores():
    return len(os.sched_getaffinity(0))


@unittest.skipUnless(FP32.exists(), f"no test data at {DATA} (set FOVEA_TEST_DATA)")
class LaunchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.few = cls.folder / "few.txt"
        cls.few.write_text("".join(VAL_MAP.read_text().splitlines(keepends=True)[:30]))
        cls.records = cls.folder / "records"
        done = subprocess.run([PROGRAM, "dataset", "to-tfrecord", "--data", VAL, "--map", cls.few, "--to", cls.records, "--shards", "3"],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == OK, done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.out = Path(tempfile.mkdtemp(dir=self.folder))

    def launch(self, *arguments, timeout=300, **options):
        arguments = [str(a) for a in arguments]
        behind = arguments[arguments.index("--"):] if "--" in arguments else []
        before = arguments[:len(arguments) - len(behind)]
        return subprocess.run([PROGRAM, "launch", *before, "--output-dir", self.out, *behind], capture_output=True, text=True,
                              timeout=timeout, errors="replace", **options)

    def start(self, *arguments):
        behind = arguments.index("--")
        process = subprocess.Popen([PROGRAM, "launch", *map(str, arguments[:behind]), "--output-dir", self.out, *arguments[behind:]],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        return process

    def expect_error(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        last = result.stderr.strip().splitlines()[-1]
        self.assertTrue(last.startswith("fovea: error: "), result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def log(self):
        files = sorted(self.out.glob("benchmark_*.log"))
        self.assertEqual(len(files), 1, files)
        return files[0]

    def results(self):
        files = list(self.out.glob("*_results_*.txt"))
        self.assertEqual(len(files), 1, files)
        return list(csv.DictReader(files[0].read_text().splitlines()))

    def record(self):
        return json.loads(self.log().with_suffix(".json").read_text())


BASE = ["--model-name", "resnet50v1_5", "--mode", "inference"]
SMALL = [*BASE, "--precision", "fp32", "--in-graph", FP32, "--batch-size", 1]


class Commands(LaunchTest):
    def filled(self, command):
        return shlex.split(command.format(data=self.records, int8=INT8, fp32=FP32, bf16=FP32))

    def test_every_command_of_the_page_is_understood(self):
        for command in COMMANDS:
            if "bfloat16" in command and not has_bf16():
                continue
            arguments = self.filled(command)
            place = arguments.index("--") if "--" in arguments else len(arguments)
            result = self.launch(*arguments[:place], "--dry-run", *arguments[place:])
            self.assertEqual(result.returncode, OK, command + result.stderr)
            self.assertIn("Would run", result.stdout)
            self.assertIn("Instance 0: cores", result.stdout)
            self.assertEqual(os.listdir(self.out), [])

    def test_one_of_each_kind_runs_and_prints_its_lines(self):
        speed = [r"^Inference with dummy data\.$", r"^Iteration 1: \d+\.\d{6} sec$", r"^Average time: \d+\.\d{6} sec$",
                 r"^Throughput: \d+\.\d{3} images/sec$"]
        accuracy = [r"^Inference with real data\.$", r"^Iteration time: \d+\.\d{4} ms$",
                    r"^Processed 30 images\. \(Top1 accuracy, Top5 accuracy\) = \(0\.\d{4}, 0\.\d{4}\)$"]
        tail = [r"^Ran inference with batch size \d+$", r"^Log location outside container: .*/benchmark_resnet50_inference_\w+_\d{8}_\d{6}\.log$"]
        for number, extra, lines in ((0, [], accuracy), (1, ["--", "warmup_steps=1", "steps=2"], speed + ["^Batch size = 128$"]),
                                     (2, ["--", "steps=4", "warmup_steps=2"], speed + ["^Batch size = 1$", r"^Latency: \d+\.\d{3} ms$"]),
                                     (5, [], accuracy + [r"^Inference results file in the output directory: resnet50v1_5_fp32_inference_results_\d{8}_\d{6}\.txt$"])):
            self.setUp()
            arguments = self.filled(COMMANDS[number])
            if "--" in arguments:
                arguments = arguments[:arguments.index("--")]
            result = self.launch(*arguments, *extra)
            self.assertEqual(result.returncode, OK, result.stderr)
            for line in lines + tail:
                self.assertRegex(result.stdout, re.compile(line, re.M), COMMANDS[number])
            self.assertIn("Docker image", result.stdout)
            self.assertTrue(self.log().read_text().endswith(result.stdout[-200:]))
            self.assertTrue(self.log().name.startswith(f"benchmark_resnet50_inference_{'int8' if number < 2 else 'fp32'}_"))

    def test_bfloat16(self):
        arguments = self.filled(COMMANDS[6])
        if has_bf16():
            result = self.launch(*arguments, "--", "steps=3", "warmup_steps=1")
            self.assertEqual(result.returncode, OK, result.stderr)
            self.assertEqual(self.record()["model"]["precision"], "bf16")
        else:
            self.expect_error(self.launch(*arguments), UNSUPPORTED, "AVX512_BF16")

    def test_results_are_in_order_and_agree_with_eval(self):
        result = self.launch(*SMALL[:-1], 7, "--accuracy-only", "--output-results", "--data-location", self.records)
        self.assertEqual(result.returncode, OK, result.stderr)
        rows = self.results()
        predictions = self.folder / "predictions.csv"
        eval_run = subprocess.run([PROGRAM, "eval", "--model", FP32, "--data", VAL, "--map", self.few, "--predictions", predictions, "--json", "--quiet"],
                                  capture_output=True, text=True, timeout=120)
        self.assertEqual(eval_run.returncode, OK, eval_run.stderr)
        expected = list(csv.DictReader(predictions.read_text().splitlines()))
        self.assertEqual([r["filename"] for r in rows], [Path(e["path"]).name for e in expected])
        self.assertEqual([(int(r["actual"]), int(r["prediction"])) for r in rows], [(int(e["label"]) + 1, int(e["top1"]) + 1) for e in expected])
        record, other = self.record(), json.loads(eval_run.stdout)
        self.assertEqual((record["accuracy"]["top1"], record["accuracy"]["top5"]), (other["top1"], other["top5"]))

    def test_real_data_in_a_benchmark(self):
        result = self.launch(*SMALL[:-1], 4, "--data-location", self.records, "--output-results", "--num-instances", 1, "--", "steps=9", "warmup_steps=1")
        self.assertEqual(result.returncode, OK, result.stderr)
        rows = self.results()
        self.assertEqual(len(rows), 4 * 7 + 2 + 4)  # a batch of two ends the set of 30, which then begins again

    def test_without_a_graph_the_weights_are_synthetic_and_that_is_said(self):
        for precision in ("fp32", "int8"):
            self.setUp()
            result = self.launch("--model-name", "mobilenet-v1-0.25-128", "--mode", "inference", "--precision", precision, "--batch-size", 2, "--", "steps=3", "warmup_steps=1")
            self.assertEqual(result.returncode, OK, result.stderr)
            self.assertIn("SYNTHETIC", result.stdout)
            self.assertTrue(self.record()["model"]["synthetic"])
            self.assertEqual(self.record()["model"]["precision"], precision)


class Errors(LaunchTest):
    def test_usage(self):
        self.expect_error(self.launch(*SMALL, "--accuracy-only"), USAGE, "--data-location")
        self.expect_error(self.launch(*SMALL, "--output-results"), USAGE, "dummy data")
        self.expect_error(self.launch(*SMALL, "--accuracy-only", "--benchmark-only", "--data-location", self.records), USAGE, "exclude")
        self.expect_error(self.launch(*SMALL, "--num-cores", "0"), USAGE, "--num-cores")
        self.expect_error(self.launch(*SMALL, "--num-cores", "5000"), USAGE, "5000")
        self.expect_error(self.launch(*SMALL, "--socket-id", "77"), USAGE, "77")
        self.expect_error(self.launch(*SMALL, "--numa-cores-per-instance", "many"), USAGE, "many")
        self.expect_error(self.launch(*SMALL, "--", "steps"), USAGE, "name=value")
        self.expect_error(self.launch(*SMALL, "--", "step=5"), USAGE, "steps=")
        self.expect_error(self.launch(*SMALL, "--", "steps=5", "warmup_steps=5"), USAGE, "no step")
        self.expect_error(self.launch(*BASE, "--precision", "fp8"), USAGE, "bfloat16")
        self.expect_error(self.launch("--mode", "training", "--precision", "fp32", "--checkpoint", "x"), UNSUPPORTED, "not in this version")
        self.expect_error(self.launch("--mode", "serving", "--precision", "fp32"), USAGE, "serving")
        self.assertEqual(os.listdir(self.out), [])

    def test_files(self):
        self.expect_error(self.launch(*BASE, "--precision", "fp32", "--in-graph", "none.onnx"), BAD_INPUT, "none.onnx")
        self.expect_error(self.launch(*SMALL, "--data-location", "/none"), BAD_INPUT, "/none")
        self.expect_error(self.launch(*BASE, "--precision", "int8", "--in-graph", FP32), UNSUPPORTED, "not quantised")

    def test_a_precision_that_the_cpu_lacks_is_no_other_one(self):
        if "amx_int8" not in Path("/proc/cpuinfo").read_text():
            self.expect_error(self.launch(*BASE, "--precision", "amx_int8", "--in-graph", INT8), UNSUPPORTED, "AMX-INT8", "lacks")
        self.expect_error(self.launch(*BASE, "--precision", "bfloat16", "--in-graph", FP32, env={**os.environ, "FOVEA_ISA": "avx2"}), UNSUPPORTED, "AVX512_BF16")

    def test_a_full_disk(self):
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
        self.expect_error(self.launch(*SMALL, "--", "steps=60", "warmup_steps=1", restore_signals=False, preexec_fn=small_files), RESOURCE, "benchmark_", "File too large")

    def test_damaged_records_are_counted(self):
        damaged = self.folder / "damaged"
        shutil.copytree(self.records, damaged)
        shard = sorted(damaged.iterdir())[1]
        shard.write_bytes(shard.read_bytes()[:-100])
        result = self.launch(*SMALL[:-1], 10, "--accuracy-only", "--data-location", damaged)
        self.expect_error(result, BAD_INPUT, "1 image(s) could not be read")
        self.assertIn("truncated", result.stdout)
        self.assertIn("Processed 29 images.", result.stdout)
        self.assertEqual(self.record()["verdict"]["state"], "partial")
        result = self.launch(*SMALL[:-1], 10, "--data-location", damaged, "--", "steps=9", "warmup_steps=1")
        self.expect_error(result, BAD_INPUT, "truncated")


@unittest.skipUnless(cores() >= 2, "one core: no two instances")
class Instances(LaunchTest):
    def test_instances_have_cores_of_their_own_and_logs(self):
        result = self.launch(*SMALL, "--numa-cores-per-instance", 1, "--", "steps=30", "warmup_steps=5")
        self.assertEqual(result.returncode, OK, result.stderr)
        record = self.record()
        used = [core for i in record["instances"] for core in i["cores"]]
        self.assertEqual(len(used), len(set(used)))
        self.assertGreaterEqual(len(record["instances"]), 2)
        for i in record["instances"]:
            self.assertEqual(len(i["samples_ms"]), 25)
        combined = (self.out / "resnet50v1_5_fp32_inference_bs1_cores1_all_instances.log").read_text()
        parts = [float(t) for t in re.findall(r"^Throughput: ([\d.]+) images/sec$", combined, re.M)]
        self.assertEqual(len(parts), len(record["instances"]))
        total = float(re.search(r"^Total aggregated Throughput ([\d.]+)$", result.stdout, re.M).group(1))
        self.assertAlmostEqual(sum(parts), total, delta=0.01 * len(parts))
        self.assertAlmostEqual(record["images_per_s"], total, delta=0.01)
        first = (self.out / "resnet50v1_5_fp32_inference_bs1_cores1_instance0.log").read_text()
        self.assertTrue(first.startswith("fovea launch "))
        self.assertEqual(len(re.findall(r"^Iteration \d+: ", first, re.M)), 30)

    def test_weight_sharing_has_one_process(self):
        result = self.launch(*SMALL, "--numa-cores-per-instance", 1, "--weight-sharing", "--", "steps=20", "warmup_steps=5")
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertRegex(result.stdout, r"Instance num 1 Avg Time/Iteration \d+\.\d{6} msec Throughput \d+\.\d{6} images/sec")
        self.assertIn("Total aggregated Throughput", result.stdout)
        self.assertGreaterEqual(len(self.record()["instances"]), 2)

    def children(self, process):
        text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        return [int(pid) for pid in text.split()]

    def wait_for_children(self, process, count):
        for _ in range(600):
            found = self.children(process)
            if len(found) >= count:
                return found
            time.sleep(0.05)
        self.fail("the instances did not start")

    def test_a_killed_instance_makes_the_result_invalid_and_keeps_the_others(self):
        process = self.start(*SMALL, "--num-instances", 2, "--", "steps=10000", "warmup_steps=5")
        victim = self.wait_for_children(process, 2)[1]
        time.sleep(0.3)
        os.kill(victim, signal.SIGKILL)
        output, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, UNSTABLE, output[-500:] + errors)
        self.assertIn("#INVALID RESULT", output)
        self.assertIn("killed by signal 9", errors)
        record = self.record()
        self.assertEqual([i["state"] for i in record["instances"]], ["finished", "died"])
        self.assertEqual(record["instances"][1]["exit"], -9)
        self.assertEqual(len(record["instances"][0]["samples_ms"]), 9995)
        self.assertEqual(record["verdict"]["state"], "invalid")

    def test_an_interruption_leaves_a_partial_report_and_no_process(self):
        process = self.start(*SMALL, "--num-instances", 2, "--", "steps=100000", "warmup_steps=5")
        children = self.wait_for_children(process, 2)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, INTERRUPTED, output[-500:] + errors)
        self.assertIn("PARTIAL", output)
        self.assertEqual(self.record()["verdict"]["state"], "partial")
        for pid in children:
            self.assertFalse(Path(f"/proc/{pid}").exists())

    def test_instances_end_with_their_launcher(self):
        process = self.start(*SMALL, "--num-instances", 2, "--", "steps=100000", "warmup_steps=5")
        children = self.wait_for_children(process, 2)
        process.kill()
        process.wait()
        for _ in range(100):
            states = [Path(f"/proc/{pid}/stat") for pid in children]
            if not any(s.exists() and s.read_text().split(")")[1].split()[0] != "Z" for s in states):
                return
            time.sleep(0.05)
        self.fail("an instance outlived its launcher")


if __name__ == "__main__":
    unittest.main(verbosity=1)
