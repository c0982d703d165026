"""The program from outside: answers, --json keys, exit codes, and a clear error for every kind of bad input.

Usage: cli_test.py PATH_OF_FOVEA. Needs no package beyond Python's own.
"""

import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from pathlib import Path

PROGRAM = sys.argv.pop(1)
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")
SMALL_MODEL = DATA / "models" / "mobilenet_v1_0.25_128_fp32.onnx"
VAL = DATA / "imagenet-sample" / "val"

OK, USAGE, BAD_INPUT, UNSUPPORTED, ACCURACY, RESOURCE, INTERRUPTED = 0, 2, 3, 4, 5, 8, 9


def run(*arguments, env=None, timeout=120):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})}, errors="replace")


def png(width, height, rows=None):
    """A greyscale 1-bit PNG, small however large its extents are."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    compressor = zlib.compressobj(9)
    row = b"\0" * (1 + (width + 7) // 8)
    body = b"".join(compressor.compress(row) for _ in range(height if rows is None else rows)) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


class CliTest(unittest.TestCase):
    def expect_error(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        last = result.stderr.strip().splitlines()[-1]
        self.assertTrue(last.startswith("fovea: error: "), result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)


class Usage(CliTest):
    def test_help_of_every_command_has_an_example(self):
        top = run("--help")
        self.assertEqual(top.returncode, OK)
        self.assertIn("Exit codes", top.stdout)
        for command in ("classify", "eval", "bench", "inspect", "explain", "convert", "machine", "models", "completion"):
            self.assertIn(command, top.stdout)
            text = run(command, "--help")
            self.assertEqual(text.returncode, OK)
            self.assertIn("Examples:", text.stdout)
            self.assertIn("--json", text.stdout)

    def test_mistyped_flags_commands_and_models_get_a_suggestion(self):
        self.expect_error(run("bench", "--thraeds", "1"), USAGE, "--threads")
        self.expect_error(run("clasify", "x.jpg"), USAGE, "classify")
        self.expect_error(run("inspect", "resnet5O"), USAGE, "resnet50")
        self.expect_error(run(), USAGE, "command")
        self.expect_error(run("bench", "--batch", "0"), USAGE)
        self.expect_error(run("bench", "--precision", "fp8"), USAGE, "fp32")

    def test_version(self):
        self.assertRegex(run("--version").stdout, r"^fovea \d+\.\d+\.\d+")

    def test_unknown_isa_is_an_error(self):
        self.expect_error(run("models", env={"FOVEA_ISA": "avx1024"}), USAGE, "avx1024", "avx512")

    def test_completion_scripts_name_the_commands(self):
        for shell in ("bash", "zsh", "fish"):
            script = run("completion", shell)
            self.assertEqual(script.returncode, OK)
            self.assertIn("classify", script.stdout)
        subprocess.run(["bash", "-n"], input=run("completion", "bash").stdout, text=True, check=True)

    def test_a_closed_standard_output_is_no_crash(self):
        process = subprocess.Popen([PROGRAM, "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        process.stderr.read()
        self.assertIn(process.wait(timeout=60), (OK, RESOURCE))


class Json(CliTest):
    def test_models_and_machine(self):
        models = json.loads(run("models", "--json").stdout)
        self.assertIn("efficientnet-lite0", [m["name"] for m in models["models"]])
        machine = json.loads(run("machine", "--milliseconds", "40", "--json").stdout)
        self.assertGreater(machine["peak"]["fp32_gmacs_per_s"], 0)
        self.assertIn("cpu", machine["machine"])

    def test_synthetic_weights_are_said_aloud(self):
        result = run("bench", "--model", "mobilenet-v2", "--synthetic", "--seconds", "0.2", "--threads", "1", "--json")
        record = json.loads(result.stdout)
        self.assertTrue(record["synthetic_weights"])
        self.assertIn("ynthetic", result.stderr)
        for key in ("images_per_s", "percent_of_peak", "noise", "machine_peak", "machine", "tool", "command"):
            self.assertIn(key, record)
        for key in ("median", "p90", "p99"):
            self.assertIn(key, record["latency_ms"])
        self.assertGreater(record["images_per_s"], 0)

    def test_output_file_is_written_whole(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "record.json"
            self.assertEqual(run("models", "--output", file).returncode, OK)
            self.assertIn("models", json.loads(file.read_text()))
            self.assertEqual(os.listdir(folder), ["record.json"])
            self.expect_error(run("models", "--output", Path(folder) / "no" / "record.json"), BAD_INPUT, "record.json")


@unittest.skipUnless(SMALL_MODEL.exists(), f"no test data at {DATA}: set FOVEA_TEST_DATA")
class RealInput(CliTest):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.photo = sorted(VAL.glob("*"))[0]

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, content):
        file = self.path / name
        file.write_bytes(content)
        return file

    def test_inspect_explain_convert(self):
        record = json.loads(run("inspect", SMALL_MODEL, "--json").stdout)
        self.assertGreater(record["macs"], 1e7)
        self.assertEqual(record["inputs"][0]["shape"], "[N,3,128,128]")
        self.assertIn("FusedConv", run("explain", SMALL_MODEL, "--seconds", "0.2", "--threads", "1").stdout)
        written = self.path / "simple.onnx.gz"
        self.assertEqual(run("convert", SMALL_MODEL, "--simplify", "-o", written).returncode, OK)
        again = json.loads(run("inspect", written, "--json").stdout)
        self.assertEqual(again["macs"], record["macs"])

    def test_explain_writes_a_trace(self):
        trace = self.path / "trace.json"
        record = json.loads(run("explain", SMALL_MODEL, "--seconds", "0.2", "--threads", "1", "--trace", trace, "--json").stdout)
        events = [e for e in json.loads(trace.read_text())["traceEvents"] if e["ph"] == "X"]
        self.assertEqual([e["name"] for e in events], [s["node"] for s in record["steps"]])
        for before, after in zip(events, events[1:]):
            self.assertLessEqual(before["ts"] + before["dur"], after["ts"] + 1e-3)

    def test_tuning_is_kept_and_a_corrupt_file_is_ignored(self):
        environment = {"FOVEA_CACHE": str(self.path)}
        arguments = ("explain", SMALL_MODEL, "--seconds", "0.1", "--threads", "1", "--tune", "quick", "--json")
        first = json.loads(run(*arguments, env=environment).stdout)
        kept = (self.path / "tuning.json").read_text()
        again = json.loads(run(*arguments, env=environment).stdout)
        self.assertEqual([s["tactic"] for s in again["steps"]], [s["tactic"] for s in first["steps"]])
        self.assertTrue(any(c["measured"] for s in again["steps"] for c in s["candidates"]))
        self.assertEqual((self.path / "tuning.json").read_text(), kept)
        (self.path / "tuning.json").write_text(kept[: len(kept) // 2])
        result = run(*arguments, env=environment)
        self.assertEqual(result.returncode, OK)
        self.assertIn("is not used", result.stderr)
        self.assertEqual(json.loads((self.path / "tuning.json").read_text())["version"], 1)
        self.assertEqual(run("explain", SMALL_MODEL, "--tune", "quik").returncode, USAGE)

    def test_classify_names_and_json(self):
        record = json.loads(run("classify", self.photo, "--model", SMALL_MODEL, "--json").stdout)
        classes = record["images"][0]["classes"]
        self.assertEqual(len(classes), 5)
        self.assertGreaterEqual(classes[0]["probability"], classes[1]["probability"])
        self.assertTrue(classes[0]["name"])

    def test_one_bad_image_does_not_cost_the_others(self):
        bad = self.write("broken.jpg", self.photo.read_bytes()[:700])
        result = run("classify", self.photo, bad, self.photo, "--model", SMALL_MODEL, "--json")
        record = json.loads(result.stdout)
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertEqual(record["failed"], 1)
        self.assertEqual([("error" in image) for image in record["images"]], [False, True, False])

    def test_bad_images(self):
        cases = {
            "text.jpg": b"this is no image",
            "empty.jpg": b"",
            "corrupt.jpg": self.photo.read_bytes()[:300] + b"\xff\xd9\x00\x13" * 50,
            "huge.png": png(30000, 30000),
            "short.png": png(64, 64, rows=3),
        }
        for name, content in cases.items():
            with self.subTest(name):
                self.expect_error(run("classify", self.write(name, content), "--model", SMALL_MODEL), BAD_INPUT, name)
        self.expect_error(run("classify", self.path / "missing.jpg", "--model", SMALL_MODEL), BAD_INPUT, "missing.jpg")

    def test_a_one_pixel_image_is_an_image(self):
        result = run("classify", self.write("one.png", png(1, 1)), "--model", SMALL_MODEL)
        self.assertEqual(result.returncode, OK, result.stderr)

    def test_bad_models(self):
        whole = SMALL_MODEL.read_bytes()
        self.expect_error(run("inspect", self.path / "none.onnx"), BAD_INPUT, "none.onnx")
        for cut in (1, 100, len(whole) // 2, len(whole) - 1):
            with self.subTest(cut):
                self.expect_error(run("inspect", self.write("cut.onnx", whole[:cut])), BAD_INPUT, "cut.onnx")
        self.expect_error(run("inspect", self.write("noise.onnx", bytes(range(256)) * 64)), BAD_INPUT, "noise.onnx")

    def test_eval_counts_and_gates(self):
        lines = [line.split() for line in (DATA / "imagenet-sample" / "val_map.txt").read_text().splitlines() if line.strip()]
        wanted = lines[:12]
        for name, _ in wanted:
            self.write(name, (VAL / name).read_bytes())
        self.write(wanted[5][0], b"not an image any more")
        map_file = self.write("map.txt", "\n".join(" ".join(pair) for pair in wanted).encode())
        arguments = ("eval", "--model", SMALL_MODEL, "--data", self.path, "--map", map_file, "--resize", "none", "--crop", "224")
        result = run(*arguments, "--json", "--predictions", self.path / "p.csv")
        record = json.loads(result.stdout)
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertEqual((record["images"], record["failed"]), (11, 1))
        self.assertAlmostEqual(record["top1"], 100 * record["top1_hits"] / 11)
        self.assertIn(wanted[5][0], result.stderr)
        self.assertEqual(len((self.path / "p.csv").read_text().splitlines()), 13)
        self.expect_error(run(*arguments, "--strict"), BAD_INPUT, "--strict")
        self.expect_error(run(*arguments, "--min-top1", "100"), ACCURACY, "top-1")
        self.expect_error(run("eval", "--model", SMALL_MODEL, "--data", self.path / "nowhere"), BAD_INPUT, "nowhere")

    def test_pixels_give_a_quantised_network_the_same_answers(self):
        model = DATA / "models" / "mobilenet_v1_0.25_128_qdq.onnx"
        arguments = ("eval", "--model", model, "--data", VAL, "--map", DATA / "imagenet-sample" / "val_map.txt", "-n", "40")
        for extra, name in (((), "floats.csv"), (("--pixels",), "pixels.csv")):
            result = run(*arguments, *extra, "--predictions", self.path / name)
            self.assertEqual(result.returncode, OK, result.stderr)
        self.assertEqual((self.path / "floats.csv").read_text(), (self.path / "pixels.csv").read_text())
        plan = run("explain", model, "--pixels", "--seconds", "0.2").stdout
        self.assertNotIn(" QuantizeLinear ", plan.split("Why the others lost")[0].splitlines()[1])
        self.expect_error(run("bench", "--model", SMALL_MODEL, "--pixels", "--precision", "bf16"), UNSUPPORTED, "--pixels")

    def test_interrupted_eval_says_so_and_keeps_what_it_has(self):
        file = self.path / "partial.json"
        process = subprocess.Popen([PROGRAM, "eval", "--model", str(DATA / "models" / "resnet18_fp32.onnx.gz"), "--data", str(VAL),
                                    "--map", str(DATA / "imagenet-sample" / "val_map.txt"), "--output", str(file)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        self.assertEqual(process.returncode, INTERRUPTED, stderr)
        self.assertFalse(json.loads(file.read_text())["complete"])


if __name__ == "__main__":
    if not SMALL_MODEL.exists():
        print(f"SKIPPED in part: no test data at {DATA}; set FOVEA_TEST_DATA", file=sys.stderr)
        if os.environ.get("CI") == "true":
            sys.exit("continuous integration needs the test data")
    unittest.main(verbosity=1)
