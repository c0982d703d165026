#!/usr/bin/env python3
"""Tests of the peer benchmark's driver with engines that only pretend. Standard library only."""

import array
import contextlib
import io
import json
import math
import os
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent / "engines")]
import answers
import bench as bench_module
import engine_rows
import peers
import preprocess
import rounds
import stream_processes
import suites
import table
from engine_process import EngineError, EngineProcess
from networks import Network, Networks

# An engine that answers `scale` times the sum of its input and takes `ms` a run; the gauge's peak may fall after a while.
PRETENDER = """
import json, struct, sys
scale, ms, falls_after = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
total, quick = 0.0, 0
for line in sys.stdin:
    request = json.loads(line)
    op, reply = request["op"], {"ok": True}
    if op == "load":
        streams = request["threads"] if request.get("mode") == "throughput" else 0
        ports = {"inputs": [{"name": "x", "shape": [1, 4]}], "outputs": [{"name": "y", "shape": [1, 2]}]}
        reply.update(version="1", load_ms=1.0, macs=1e6, tactics={}, **ports)
    elif op == "input":
        total = sum(struct.unpack("<4f", open(request["files"][0], "rb").read()))
    elif op == "answer":
        path = request["folder"] + "/0.f32"
        open(path, "wb").write(struct.pack("<2f", scale * total, 1.0))
        reply["files"] = [path]
    elif op == "run" and streams:
        reply["runs_per_s"] = streams * 1e3 / ms
    elif op == "run":
        reply["times_ms"] = [ms, ms * 1.1, ms * 0.9]
    elif op == "peak" and request.get("quick"):
        quick += 1
        reply.update(gmacs_per_s=100.0 if quick <= falls_after else 80.0, steal_s=0.0)
    elif op == "peak":
        reply.update(threads=1, fp32_gmacs_per_s=100.0, bf16_gmacs_per_s=200.0, int8_gmacs_per_s=400.0, read_gbytes_per_s=10.0, machine={})
    elif op == "die":
        print("the last words", file=sys.stderr)
        sys.exit(1)
    print(json.dumps(reply), flush=True)
"""
CONVERTER = """#!/bin/sh
echo '{"synthetic_weights": true}'
"""


class DriverTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "pretender.py").write_text(PRETENDER)
        (self.folder / "fovea").write_text(CONVERTER)
        (self.folder / "fovea").chmod(0o755)
        rounds.PAUSE_S = 0

    def pretender(self, scale=1.0, ms=1.0, falls_after=10**6):
        return [sys.executable, str(self.folder / "pretender.py"), str(scale), str(ms), str(falls_after)]

    def bench(self, **commands):
        places = ["--work", str(self.folder), "--fovea", str(self.folder / "fovea"), "--venv", str(self.folder)]
        bench = bench_module.Bench(peers.parse_arguments([*places, "--rounds", "4", "--engines", ",".join(commands)]))
        bench.commands = commands
        return bench

    def run_case(self, bench, case=suites.Case("net", "fp32", 1), **gauge):
        with contextlib.closing(EngineProcess("gauge", self.pretender(**gauge), self.folder / "gauge.log")) as process:
            with mock.patch.object(engine_rows, "missing", return_value=""):
                return bench.run_case(case, process)

    def test_a_case_has_times_ratios_and_share_of_peak(self):
        case = self.run_case(self.bench(fovea=self.pretender(ms=1.0), onnxruntime=self.pretender(ms=2.0)))
        fovea, other = case["engines"]
        self.assertEqual(case["verdict"], "stable")
        self.assertAlmostEqual(fovea["median_ms"], 1.0)
        self.assertAlmostEqual(fovea["best_ms"], 0.9)
        self.assertAlmostEqual(fovea["percent_of_peak"], 1.0)
        self.assertAlmostEqual(other["ratio"]["median"], 2.0)
        self.assertTrue(case["synthetic_weights"])
        self.assertEqual(case["rounds"][0]["order"], ["fovea", "onnxruntime"])
        self.assertEqual(case["rounds"][1]["order"], ["onnxruntime", "fovea"])
        self.assertIn("2.000 [2.000, 2.000]", table.case_text(case))
        self.assertIn("SYNTHETIC", table.case_text(case))
        self.assertEqual(peers.exit_code([case], 1.5), (0, []))
        self.assertEqual(peers.exit_code([case], 2.5)[0], peers.EXIT_PERFORMANCE)

    def test_throughput_counts_the_runs_of_all_streams(self):
        engines = {"fovea": self.pretender(ms=1.0), "onnxruntime": self.pretender(ms=4.0)}
        case = self.run_case(self.bench(**engines), suites.Case("net", "fp32", 2, 3, "throughput"))
        fovea, other = case["engines"]
        self.assertNotIn("median_ms", fovea)
        self.assertAlmostEqual(fovea["images_per_s"], 3 * 2000)
        self.assertAlmostEqual(fovea["percent_of_peak"], 2.0)
        self.assertAlmostEqual(other["ratio"]["median"], 4.0)
        self.assertIn("2 streams", table.case_text(case))
        self.assertIn("4.000 [4.000, 4.000]", table.summary_text([case]))

    def test_int8_compares_photographs_with_the_exact_graph(self):
        bench = self.bench(fovea=self.pretender(scale=1.1), onnxruntime=self.pretender(), openvino=self.pretender(scale=-1.0))
        photographs = []
        for i in range(3):
            photographs.append([str(self.folder / f"{i}.f32")])
            Path(photographs[-1][0]).write_bytes(array.array("f", [i + 1.0] * 4).tobytes())
        bench.networks.get = lambda *_: Network(self.folder / "net.onnx")
        bench.networks.inputs = lambda *_: photographs
        fovea, _, other = self.run_case(bench, suites.Case("net", "int8", 1))["engines"]
        self.assertEqual((fovea["images_compared"], fovea["same_top1"]), (3, 3))
        self.assertIn("median_ms", fovea)
        self.assertIn("WRONG ANSWER", other["error"])

    def test_a_wrong_answer_has_no_times(self):
        case = self.run_case(self.bench(fovea=self.pretender(scale=1.01), onnxruntime=self.pretender()))
        self.assertIn("WRONG ANSWER", case["engines"][0]["error"])
        self.assertNotIn("median_ms", case["engines"][0])
        self.assertEqual(peers.exit_code([case], 0)[0], peers.EXIT_ACCURACY)
        self.assertIn("WRONG ANSWER", table.case_text(case))

    def test_rounds_on_a_slower_machine_do_not_count(self):
        case = self.run_case(self.bench(fovea=self.pretender(), onnxruntime=self.pretender()), falls_after=4)
        self.assertEqual(case["valid_rounds"], [0, 1])
        self.assertEqual(case["round_count"], rounds.MAX_REPEATS * 4)
        self.assertEqual(case["verdict"], "invalid")
        self.assertEqual(peers.exit_code([case], 1.0)[0], peers.EXIT_UNSTABLE)

    def test_a_missing_engine_is_a_row_with_a_reason(self):
        case = self.run_case(self.bench(fovea=self.pretender(), onnxruntime=self.pretender(), openvino=["/nonexistent"]))
        self.assertIn("cannot start", case["engines"][2]["error"])
        self.assertEqual(peers.exit_code([case], 0)[0], 0)
        self.assertIn("onnxruntime", table.summary_text([case]))

    def test_an_engine_that_is_not_installed_says_how_to(self):
        for name, command in engine_rows.commands("peer", self.folder).items():
            reason = engine_rows.missing(name, command)
            self.assertEqual(reason, "" if name == "fovea" else reason)
            if name != "fovea":
                self.assertIn(f"--with {engine_rows.ROWS[name].environment}", reason)

    def test_a_case_that_cannot_be_measured_is_reported(self):
        with contextlib.closing(EngineProcess("gauge", self.pretender(), self.folder / "gauge.log")) as gauge, contextlib.redirect_stdout(io.StringIO()):
            cases = peers.run_cases(self.bench(fovea=["/nonexistent"], onnxruntime=["/nonexistent"]), gauge, [suites.Case("net", "fp32", 1)])
        self.assertIn("onnxruntime", cases[0]["error"])
        self.assertEqual(peers.exit_code(cases, 0)[0], 1)
        self.assertIn("none", table.summary_text(cases))

    def test_the_report_is_json(self):
        case = self.run_case(self.bench(fovea=self.pretender(), onnxruntime=self.pretender()))
        self.assertEqual(json.loads(json.dumps(case))["model"], "net")

    def test_an_engine_that_ends_says_why(self):
        with contextlib.closing(EngineProcess("x", self.pretender(), self.folder / "x.log")) as engine:
            with self.assertRaisesRegex(EngineError, "ended during die .*the last words"):
                engine.request(op="die")

    def test_a_child_that_an_engine_leaves_behind_ends_with_it(self):
        # It holds the engine's output open, as OpenVINO's telemetry does where its fork hangs.
        engine = EngineProcess("x", ["sh", "-c", "sleep 60 & echo $!; read line"], self.folder / "x.log")
        child = int(engine.replies.get(timeout=10))
        begin = time.monotonic()
        engine.close()
        self.assertLess(time.monotonic() - begin, 10)
        with self.assertRaises(ProcessLookupError):
            for _ in range(100):  # until init has noticed
                os.kill(child, 0)
                time.sleep(0.05)

    def test_an_engine_that_hangs_is_given_up(self):
        with contextlib.closing(EngineProcess("x", ["sleep", "60"], self.folder / "x.log")) as engine:
            with self.assertRaisesRegex(EngineError, "no reply to load"):
                engine.request(op="load", timeout_s=0.1)

    def test_streams_in_processes_add_up(self):
        with mock.patch.object(sys, "argv", self.pretender(ms=2.0)[1:]):
            streams = stream_processes.StreamProcesses({"op": "load", "mode": "throughput", "threads": 3}, [0, 0, 0])
        self.addCleanup(streams.close)
        self.assertEqual(len(streams.loaded), 3)
        self.assertAlmostEqual(streams.runs_per_s({"op": "run", "seconds": 0.1}), 3 * 1e3 / 2.0)
        answers.write_input(self.folder / "x.f32", [4], seed=1)
        self.assertEqual(streams.first({"op": "input", "files": [str(self.folder / "x.f32")]}), {})
        with self.assertRaisesRegex(RuntimeError, "ended"):
            streams.all({"op": "die"})

    def test_unknown_engines_are_a_usage_error(self):
        with contextlib.redirect_stderr(io.StringIO()) as text, self.assertRaises(SystemExit) as ended:
            peers.main(["--engines", "fovea,nonesuch", "--work", str(self.folder)])
        self.assertEqual(ended.exception.code, peers.EXIT_USAGE)
        self.assertIn("nonesuch", text.getvalue())


class AnswersTest(unittest.TestCase):
    def test_inputs_depend_on_the_seed_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a", "b"):
                answers.write_input(f"{folder}/{name}", [2, 3], seed=7)
            a, b = answers.read_values(f"{folder}/a"), answers.read_values(f"{folder}/b")
            self.assertEqual(a, b)
            self.assertEqual(len(a), 6)

    def test_differences(self):
        self.assertEqual(answers.difference([1.0, 2.0], [1.0, 2.0], "fp32"), 0.0)
        self.assertAlmostEqual(answers.difference([1.0, 2.5], [1.0, 2.0], "fp32"), 0.25)
        self.assertTrue(math.isinf(answers.difference([1.0], [1.0, 2.0], "fp32")))
        self.assertTrue(math.isinf(answers.difference([math.nan], [1.0], "fp32")))
        self.assertTrue(math.isinf(answers.difference([math.inf], [1.0], "bf16")))
        self.assertAlmostEqual(answers.difference([3.0, 4.5], [3.0, 4.0], "bf16"), 0.1)

    def images(self, got, reference, shape, batch):
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / "got", Path(folder) / "reference"]
            for file, values in zip(files, (got, reference)):
                file.write_bytes(array.array("f", values).tobytes())
            return answers.compare_images(files[:1], files[1:], [shape], batch)

    def test_an_image_has_the_same_winner_or_is_near(self):
        compared = self.images([0, 3, 1, 0], [0, 4, 1, 1.1], [2, 2], 2)
        self.assertEqual([same for same, _ in compared], [True, False])
        self.assertAlmostEqual(compared[0][1], 0.25)
        row, wrong = answers.judge_images(compared)
        self.assertEqual((row["same_top1"], row["images_compared"]), (1, 2))
        self.assertIn("1 of 2 images", wrong)
        self.assertEqual(answers.judge_images(compared[:1])[1], "")

    def test_outputs_without_classes_must_be_near(self):
        compared = self.images([1, 2, 3, 4], [1, 2, 3, 5], [1, 2, 2], 1)
        self.assertIsNone(compared[0][0])
        self.assertNotIn("same_top1", answers.judge_images(compared)[0])
        self.assertEqual(answers.judge_images(self.images([1, 2, 3, 4], [1, 2, 3, 4.1], [1, 2, 2], 1))[1], "")
        self.assertIn("WRONG", answers.judge_images(self.images([1, 2, 3, math.nan], [1, 2, 3, 4], [1, 4], 1))[1])
        self.assertIn("WRONG", answers.judge_images(self.images([1, 2, 3], [1, 2, 3, 4], [1, 4], 1))[1])


class ModelsTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(mock.patch.dict("os.environ", FOVEA_MODELS=str(self.folder)))
        options = peers.parse_arguments(["--images", str(self.folder / "none"), "--work", str(self.folder)])
        self.networks = Networks(options, self.folder)

    def test_every_image_network_of_the_catalogue_has_its_preprocessing(self):
        for entry in preprocess.catalogue():
            rules = preprocess.of_model(entry["name"])
            self.assertEqual(rules["crop"], entry["input"]["height"], entry["name"])
            self.assertEqual(rules, preprocess.of_model(entry["files"][0]["name"]))
        with self.assertRaisesRegex(ValueError, "pre-processing is unknown"):
            preprocess.of_model("nonesuch")

    def test_a_qdq_file_is_found_by_name_and_by_path(self):
        file = self.folder / "mobilenet_v1_1.0_224_qdq.onnx"
        file.write_bytes(b"... DequantizeLinear ...")
        for name in ("mobilenet-v1-qdq", file.name, str(file)):
            self.assertEqual(self.networks._quantised_file(name), file)
        (self.folder / "plain.onnx").write_bytes(b"... Conv ...")
        self.assertIsNone(self.networks._quantised_file("plain.onnx"))
        self.assertIsNone(self.networks._quantised_file("resnet50"))

    def test_int8_without_photographs_says_so(self):
        (self.folder / "mobilenet_v1_1.0_224_qdq.onnx").write_bytes(b"DequantizeLinear")
        with self.assertRaisesRegex(EngineError, "--images"):
            self.networks.get("mobilenet-v1-qdq", "int8")

    def test_what_is_made_is_kept_until_its_sources_change(self):
        target = self.folder / "made"
        self.networks._prepare = mock.Mock(side_effect=lambda **_: target.write_text("x"))
        for model in ("a", "a", "b", "b"):
            self.networks._make(target, {"model": model, "rules": {}}, op="quantise")
        self.assertEqual(self.networks._prepare.call_count, 2)


class SuitesTest(unittest.TestCase):
    def test_a_table_has_latency_and_throughput_of_each_model(self):
        cases = suites.cases_of(peers.parse_arguments(["--table", "int8"]))
        self.assertEqual(len(cases), 3 * len(suites.TABLES["int8"]))
        self.assertEqual([(c.threads, c.mode) for c in cases[:3]], [(1, "latency"), (2, "latency"), (2, "throughput")])
        self.assertEqual({c.precision for c in cases}, {"int8"})

    def test_cases_are_all_combinations(self):
        cases = suites.cases_of(peers.parse_arguments(["--models", "a,b", "--precision", "fp32,int8", "--mode", "throughput", "--threads", "3"]))
        self.assertEqual(len(cases), 4)
        self.assertEqual(cases[1].title(), "a int8, batch 1, 3 stream(s)")


if __name__ == "__main__":
    unittest.main()
