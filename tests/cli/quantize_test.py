"""`fovea quantize` and `fovea compare` from outside: the files they write, and a clear error for every kind of bad input.

Usage: quantize_test.py PATH_OF_FOVEA PYTHON. PYTHON is an interpreter with onnx and onnxruntime; without it, the check
that ONNX Runtime computes the same is skipped, saying so.
"""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PYTHON = Path(sys.argv.pop(2))
PROGRAM = sys.argv.pop(1)
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")
MODEL = DATA / "models" / "mobilenet_v1_0.25_128_fp32.onnx"
QUANTISED_MODEL = DATA / "models" / "mobilenet_v1_0.25_128_qdq.onnx"
CALIB, CALIB_MAP = DATA / "imagenet-sample" / "calib", DATA / "imagenet-sample" / "calib_map.txt"
VAL, VAL_MAP = DATA / "imagenet-sample" / "val", DATA / "imagenet-sample" / "val_map.txt"
AS_VAL = ["--resize", "none", "--crop", "224"]  # the files of val are cut out already

OK, USAGE, BAD_INPUT, UNSUPPORTED, ACCURACY, INTERRUPTED = 0, 2, 3, 4, 5, 9


def run(*arguments, timeout=300, env=None):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          errors="replace", env=env)


@unittest.skipUnless(MODEL.exists(), f"no test data at {DATA} (set FOVEA_TEST_DATA)")
class QuantizeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def expect_error(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        last = result.stderr.strip().splitlines()[-1]
        self.assertTrue(last.startswith("fovea: error: "), result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def quantize(self, name, *arguments, model=MODEL, images=32):
        """The file and the record."""
        to = self.folder / f"{name}.onnx"
        images = ["--data", CALIB, "--map", CALIB_MAP, "--images", images] if images else []
        result = run("quantize", "--model", model, *images, *arguments, "-o", to, "--json", "--quiet")
        self.assertEqual(result.returncode, OK, result.stderr)
        return to, json.loads(result.stdout)

    def top1(self, model, *arguments, limit=200):
        result = run("eval", "--model", model, "--data", VAL, "--map", VAL_MAP, "--limit", limit, "--json", "--quiet",
                     *(arguments or AS_VAL))
        self.assertEqual(result.returncode, OK, result.stderr)
        return json.loads(result.stdout)


class Methods(QuantizeTest):
    def test_every_method_keeps_the_accuracy(self):
        exact = self.top1(MODEL)["top1"]
        for method in ("minmax", "moving-average", "percentile", "entropy", "mse"):
            to, record = self.quantize(method, "--method", method)
            found = self.top1(to)
            self.assertEqual(found["precision"], "int8")
            self.assertGreater(found["top1"], exact - 4, method)
            self.assertTrue(record["method"].startswith(method))
            self.assertEqual(record["images"], 32)
            self.assertFalse(to.with_name(to.name + ".calibration").exists())

    def test_forms_of_weights_and_activations(self):
        exact = self.top1(MODEL)["top1"]
        # One scale for all weights of a layer costs a network of depthwise convolutions a lot, whatever is done about it.
        for drop, *arguments in ((6, "--activations", "s8"), (4, "--clip-weights", "--bias-correction"),
                                 (20, "--weights", "per-tensor", "--equalise")):
            to, _ = self.quantize("form" + arguments[0], *arguments)
            self.assertGreater(self.top1(to)["top1"], exact - drop, arguments)

    def test_the_record_tells_what_was_done(self):
        report = self.folder / "report.json"
        to, record = self.quantize("record", "--report", report, "--keep-float", "000_conv_2d/op")
        self.assertEqual(record["written"], str(to))
        self.assertEqual(record["kept_float"], ["000_conv_2d/op"])
        self.assertEqual(len(record["layers"]), 27)
        for tensor in record["tensors"]:
            self.assertLessEqual(tensor["low"], tensor["high"])
            self.assertGreater(tensor["scale"], 0)
            self.assertIn(tensor["zero_point"], range(256))
        self.assertEqual(json.loads(report.read_text())["tensors"], record["tensors"])

    def test_the_same_images_give_the_same_file(self):
        first, _ = self.quantize("first")
        second, _ = self.quantize("second", "--threads", "1")
        self.assertEqual(first.read_bytes(), second.read_bytes())

    def test_a_file_outside_the_catalogue_remembers_its_pre_processing(self):
        copy = self.folder / "copy.onnx"
        self.assertEqual(run("convert", MODEL, "-o", copy).returncode, OK)
        to, _ = self.quantize("outside", "--preprocess", "mobilenet", model=copy)
        known, _ = self.quantize("known")
        result = run("eval", "--model", to, "--data", VAL, "--map", VAL_MAP, "--limit", 50, "--json", "--quiet")
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertNotIn("assumed", result.stderr)
        self.assertEqual(json.loads(result.stdout)["top1"], self.top1(known, "--workers", "1", limit=50)["top1"])

    def test_adaptive_rounding_reports_both_errors_of_each_layer(self):
        arguments = ("--rounding", "adaptive", "--rounding-iterations", "60", "--rounding-images", "8")
        to, record = self.quantize("rounded", *arguments)
        rounding = record["rounding"]
        self.assertEqual(rounding["images"], 8)
        self.assertEqual(len(rounding["layers"]), 28)
        for layer in rounding["layers"]:
            better = layer["adaptive_sqnr_db"] > layer["nearest_sqnr_db"]
            self.assertEqual(layer["rounding"], "adaptive" if better else "nearest", layer)
            self.assertGreater(layer["nearest_sqnr_db"], 3, layer)
        self.assertGreater(self.top1(to)["top1"], self.top1(MODEL)["top1"] - 4)
        self.assertFalse(to.with_name(to.name + ".rounding").exists())

    def test_layers_fall_back_until_the_accuracy_holds(self):
        few = self.folder / "few.txt"
        few.write_text("".join(VAL_MAP.read_text().splitlines(keepends=True)[:200]))
        to, record = self.quantize("held", "--weights", "per-tensor", "--activations", "s8", "--max-drop", "1.0",
                                   "--eval-data", VAL, "--eval-map", few, "--eval-resize", "none", "--eval-crop", "224",
                                   images=16)
        accuracy = record["accuracy"]
        self.assertLessEqual(accuracy["float_top1"] - accuracy["top1"], 1.0 + 1e-9)
        self.assertEqual(len(accuracy["sensitivity"]), 28)
        kept = [layer["name"] for layer in accuracy["sensitivity"] if layer["kept_float"]]
        self.assertEqual(sorted(kept), sorted(record["kept_float"]))
        self.assertEqual(self.top1(to)["top1"], accuracy["top1"])

    def test_layers_fall_back_to_bf16(self):
        if "avx512_bf16" not in Path("/proc/cpuinfo").read_text():
            self.skipTest("this CPU has no AVX512_BF16")
        few = self.folder / "few16.txt"
        few.write_text("".join(VAL_MAP.read_text().splitlines(keepends=True)[:60]))
        to, record = self.quantize("bf16", "--weights", "per-tensor", "--activations", "s8", "--max-drop", "1.0",
                                   "--fallback", "bf16", "--eval-data", VAL, "--eval-map", few, "--eval-resize", "none",
                                   "--eval-crop", "224", images=16)
        self.assertEqual(record["fallback"], "bf16")
        self.assertGreater(len(record["kept_float"]), 0)
        inspected = json.loads(run("inspect", to, "--json").stdout)
        self.assertEqual(inspected["metadata"]["fovea_fallback"], "bf16")
        for precision in ("auto", "int8-bf16"):
            found = self.top1(to, *AS_VAL, "--precision", precision, limit=60)
            self.assertEqual(found["precision"], "int8-bf16")
            self.assertEqual(found["top1"], record["accuracy"]["top1"])
        # A CPU without the instructions: told once, and in integers all the same.
        weak = run("eval", "--model", to, "--data", VAL, "--map", VAL_MAP, "--limit", 2, "--json", "--quiet", *AS_VAL,
                   env={**os.environ, "FOVEA_ISA": "vnni"})
        self.assertEqual(json.loads(weak.stdout)["precision"], "int8", weak.stderr)
        self.assertEqual(weak.stderr.count("AVX512_BF16"), 1, weak.stderr)
        refused = run("quantize", "--model", MODEL, "--data", CALIB, "--max-drop", "1", "--eval-data", VAL, "--fallback",
                      "bf16", "-o", to, env={**os.environ, "FOVEA_ISA": "vnni"})
        self.expect_error(refused, UNSUPPORTED, "--fallback bf16", "AVX512_BF16")


class OtherTools(QuantizeTest):
    def test_onnx_runtime_gives_the_same_answers(self):
        if not PYTHON.exists():
            self.skipTest(f"{PYTHON} does not exist; `make test` makes it (tools/setup/make_venv.sh)")
        to, _ = self.quantize("ort")
        predictions = self.folder / "predictions.csv"
        self.top1(to, *AS_VAL, "--predictions", predictions, limit=40)
        script = Path(__file__).with_name("run_in_onnxruntime.py")
        result = subprocess.run([PYTHON, script, to, VAL, predictions], capture_output=True, text=True, timeout=300)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_a_calibration_cache_alone_suffices(self):
        cache = self.folder / "calibrator.cache"
        self.quantize("to_cache", "--method", "entropy", "--write-calibration-cache", cache)
        lines = cache.read_text().splitlines()
        self.assertEqual(lines[0], "TRT-7203-EntropyCalibration2")
        self.assertIn("input: 3c010204", lines)  # 1 / 127: the images are -1 to 1
        to, record = self.quantize("from_cache", "--calibration-cache", cache, images=0)
        self.assertEqual(record["activations"], "s8")
        self.assertGreater(self.top1(to)["top1"], self.top1(MODEL)["top1"] - 8)

    def test_broken_caches(self):
        cache = self.folder / "broken.cache"
        to = self.folder / "broken.onnx"
        whole = ["TRT-7203-EntropyCalibration2"] + [f"t{i}: 3c000000" for i in range(3)]
        for text, words in (("", "line 1"), ("\x7fELF\0\0", "line 1"), ("\n".join(whole[:1]), "tensor"),
                            ("\n".join(whole + ["input: 3cxx"]), "line 5"), ("\n".join(whole), "no range"),
                            ("\n".join(whole + ["input: 0"]), "scale 0"), ("\n".join(whole + ["input: 7fc00000"]), "finite")):
            cache.write_text(text)
            result = run("quantize", "--model", MODEL, "--calibration-cache", cache, "-o", to)
            self.expect_error(result, BAD_INPUT, words)
            self.assertFalse(to.exists())
        self.expect_error(run("quantize", "--model", MODEL, "--calibration-cache", self.folder / "none", "-o", to), BAD_INPUT)


class Errors(QuantizeTest):
    def test_wrong_usage(self):
        to = self.folder / "usage.onnx"
        data = ["--data", CALIB]
        self.expect_error(run("quantize", "--model", MODEL, "-o", to), USAGE, "--data")
        self.expect_error(run("quantize", "--model", MODEL, *data), USAGE, "--to")
        self.expect_error(run("quantize", "--model", MODEL, *data, "--method", "entropi", "-o", to), USAGE, "entropy")
        self.expect_error(run("quantize", "--model", MODEL, *data, "--activations", "u4", "-o", to), USAGE, "u8")
        self.expect_error(run("quantize", "--model", MODEL, *data, "--method", "percentile", "--percentile", "0.99", "-o", to),
                          USAGE, "percentile")
        self.expect_error(run("quantize", "--model", MODEL, *data, "--keep-float", "000_conv_2d/opp", "-o", to), USAGE,
                          "000_conv_2d/op")
        self.expect_error(run("quantize", "--model", MODEL, *data, "--max-drop", "1", "-o", to), USAGE, "--eval-data")
        self.expect_error(run("quantize", "--model", MODEL, *data, "--map", CALIB_MAP, "--list", CALIB_MAP, "-o", to), USAGE)
        self.expect_error(run("quantize", "--model", QUANTISED_MODEL, *data, "-o", to), USAGE, "already quantised")
        self.assertFalse(to.exists())

    def test_folders_and_lists(self):
        to = self.folder / "x.onnx"
        empty = self.folder / "empty"
        empty.mkdir()
        self.expect_error(run("quantize", "--model", MODEL, "--data", empty, "-o", to), BAD_INPUT, "empty", "no .jpg")
        self.expect_error(run("quantize", "--model", MODEL, "--data", empty / "none", "-o", to), BAD_INPUT, "no such folder")
        listed = self.folder / "list.txt"
        listed.write_text("# none\n")
        self.expect_error(run("quantize", "--model", MODEL, "--data", CALIB, "--list", listed, "-o", to), BAD_INPUT, "no file name")
        listed.write_text("missing.jpg\n")
        self.expect_error(run("quantize", "--model", MODEL, "--data", CALIB, "--list", listed, "-o", to), BAD_INPUT,
                          "missing.jpg", "no image to calibrate with")
        names = sorted(path.name for path in CALIB.iterdir())[:3]
        listed.write_text(f"{names[0]}\n{names[1]} 7\nmissing.jpg\n{names[2]}\n")
        result = run("quantize", "--model", MODEL, "--data", CALIB, "--list", listed, "-o", to, "--json")
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertEqual((json.loads(result.stdout)["images"], json.loads(result.stdout)["failed"]), (3, 1))
        self.assertIn("missing.jpg", result.stderr)

    def test_images_that_are_no_numbers(self):
        result = run("quantize", "--model", MODEL, "--data", CALIB, "--std", "1e-38", "-n", "4", "-o", self.folder / "x.onnx")
        self.expect_error(result, BAD_INPUT, "image ", "inf")

    def test_weights_that_are_no_numbers(self):
        broken = self.folder / "nan.onnx"
        content = bytearray(MODEL.read_bytes())
        middle = len(content) // 2 // 4 * 4  # inside the weights, which are nearly all of the file
        content[middle:middle + 8] = struct.pack("<ff", float("nan"), float("nan"))
        broken.write_bytes(content)
        result = run("quantize", "--model", broken, "--data", CALIB, "--preprocess", "mobilenet", "-n", "4", "-o",
                     self.folder / "x.onnx")
        self.expect_error(result, BAD_INPUT, "image ", "computes nan")

    def test_an_interrupted_calibration_goes_on(self):
        to = self.folder / "slow.onnx"
        state = Path(f"{to}.calibration")
        listed = self.folder / "many.txt"
        listed.write_text("\n".join(sorted(path.name for path in CALIB.iterdir())[:20] * 200))
        command = ["quantize", "--model", MODEL, "--data", CALIB, "--list", listed, "-n", "4000", "-o", to, "--json", "--quiet"]
        process = subprocess.Popen([PROGRAM, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, INTERRUPTED, errors)
        self.assertFalse(to.exists())
        self.assertTrue(state.exists())
        result = run(*command)
        self.assertEqual(result.returncode, OK, result.stderr)
        record = json.loads(result.stdout)
        self.assertGreater(record["resumed_at"], 0)
        self.assertEqual(record["images"], 4000)
        self.assertFalse(state.exists())
        self.assertEqual(sorted(path.name for path in self.folder.glob("slow*")), ["slow.onnx"])


class Compare(QuantizeTest):
    def test_layers_and_answers(self):
        to, _ = self.quantize("compared")
        result = run("compare", MODEL, to, "--data", VAL, "--map", VAL_MAP, *AS_VAL, "-n", "30", "--json", "--quiet")
        self.assertEqual(result.returncode, OK, result.stderr)
        record = json.loads(result.stdout)
        self.assertEqual(record["images"], 30)
        self.assertEqual(record["precisions"], ["fp32", "int8"])
        self.assertGreaterEqual(record["top1_agreement"], 70)  # of the smallest network, from few images
        self.assertEqual(len(record["top1"]), 2)
        names = [tensor["name"] for tensor in record["tensors"]]
        self.assertEqual(names[0], "input")
        self.assertEqual(len(names), 30)  # and the output
        for tensor in record["tensors"]:
            self.assertGreater(tensor["sqnr_db"], 5, tensor)
        text = run("compare", MODEL, to, "--data", VAL, "-n", "3", "--quiet").stdout
        self.assertIn("SQNR", text)
        self.assertIn("same top-1", text)

    def test_a_network_agrees_with_itself(self):
        result = run("compare", MODEL, MODEL, "--data", VAL, *AS_VAL, "-n", "3", "--min-agreement", "100", "--json", "--quiet")
        self.assertEqual(result.returncode, OK, result.stderr)
        for tensor in json.loads(result.stdout)["tensors"]:
            self.assertIsNone(tensor["sqnr_db"])  # infinite
            self.assertEqual(tensor["max_error"], 0)

    def test_other_networks_are_errors(self):
        self.expect_error(run("compare", MODEL, DATA / "models" / "cifar10_resnet8_fp32.onnx", "--data", VAL), BAD_INPUT, "inputs")
        self.expect_error(run("compare", MODEL, "--data", VAL), USAGE, "second")
        self.expect_error(run("compare", MODEL, QUANTISED_MODEL, "--data", VAL, "-n", "2", "--min-agreement", "101"), ACCURACY)


if __name__ == "__main__":
    unittest.main(verbosity=1)
