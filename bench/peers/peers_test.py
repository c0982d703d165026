#!/usr/bin/env python3
"""Tests of the peer benchmark's driver with engines that only pretend. Standard library only."""

import contextlib
import io
import json
import math
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import answers
import peers
import rounds
import table
from engine_process import EngineError, EngineProcess

# An engine that answers `scale` times the sum of its input and takes `ms` a run; the gauge's peak may fall after a while.
PRETENDER = """
import json, struct, sys
scale, ms, falls_after = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
total, quick = 0.0, 0
for line in sys.stdin:
    request = json.loads(line)
    op, reply = request["op"], {"ok": True}
    if op == "load":
        reply.update(version="1", load_ms=1.0, macs=1e6, tactics={}, inputs=[{"name": "x", "shape": [1, 4]}], outputs=[])
    elif op == "input":
        total = sum(struct.unpack("<4f", open(request["files"][0], "rb").read()))
    elif op == "answer":
        path = request["folder"] + "/0.f32"
        open(path, "wb").write(struct.pack("<2f", scale * total, 1.0))
        reply["files"] = [path]
    elif op == "run":
        reply["times_ms"] = [ms, ms * 1.1, ms * 0.9]
    elif op == "peak" and request.get("quick"):
        quick += 1
        reply.update(fp32_gmacs_per_s=100.0 if quick <= falls_after else 80.0, steal_s=0.0)
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
        peers.rounds.PAUSE_S = 0

    def pretender(self, scale=1.0, ms=1.0, falls_after=10**6):
        return [sys.executable, str(self.folder / "pretender.py"), str(scale), str(ms), str(falls_after)]

    def bench(self, **commands):
        options = peers.parse_arguments(["--work", str(self.folder), "--fovea", str(self.folder / "fovea"), "--rounds", "4", "--engines", ",".join(commands)])
        bench = peers.Bench(options)
        bench.commands = commands
        return bench

    def run_case(self, bench, **gauge):
        with contextlib.closing(EngineProcess("gauge", self.pretender(**gauge), self.folder / "gauge.log")) as process:
            return bench.run_case(peers.Case("net", "fp32", 1), process)

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

    def test_the_report_is_json(self):
        case = self.run_case(self.bench(fovea=self.pretender(), onnxruntime=self.pretender()))
        self.assertEqual(json.loads(json.dumps(case))["model"], "net")

    def test_an_engine_that_ends_says_why(self):
        with contextlib.closing(EngineProcess("x", self.pretender(), self.folder / "x.log")) as engine:
            with self.assertRaisesRegex(EngineError, "ended during die .*the last words"):
                engine.request(op="die")

    def test_an_engine_that_hangs_is_given_up(self):
        with contextlib.closing(EngineProcess("x", ["sleep", "60"], self.folder / "x.log")) as engine:
            with self.assertRaisesRegex(EngineError, "no reply to load"):
                engine.request(op="load", timeout_s=0.1)

    def test_unknown_engines_are_a_usage_error(self):
        with contextlib.redirect_stderr(io.StringIO()) as text:
            self.assertEqual(peers.main(["--engines", "fovea,nonesuch", "--work", str(self.folder)]), peers.EXIT_USAGE)
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


if __name__ == "__main__":
    unittest.main()
