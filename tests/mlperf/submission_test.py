"""fovea mlperf preprocess, calibrate, package and check, as a submitter uses them.

Usage: submission_test.py PATH_OF_FOVEA [PYTHON [LOADGEN_PYTHON]]. With a PYTHON that has numpy and OpenCV the pre-processed
files are compared with the submissions' own arithmetic; with a LOADGEN_PYTHON (default: PYTHON) that has mlcommons-loadgen
the logs are LoadGen's own. Where
SUBMISSION_CHECKER names MLCommons' submission-checker.py (v1.0), it judges the packaged tree as well.
"""

import hashlib
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

import submission_logs as logs

PROGRAM = sys.argv[1]
PYTHON = sys.argv[2] if len(sys.argv) > 2 else ""
LOADGEN_PYTHON = sys.argv[3] if len(sys.argv) > 3 else PYTHON
sys.argv[1:] = []
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")
PHOTOS = DATA / "imagenet-sample" / "val-fullsize"
OK, USAGE, BAD_INPUT, INTERRUPTED = 0, 2, 3, 9

REFERENCE = """
import sys
import cv2, numpy as np
image = cv2.cvtColor(cv2.imread(sys.argv[1], cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION), cv2.COLOR_BGR2RGB)
h, w = image.shape[:2]
new_w, new_h = (256, int(256 * h / w)) if w < h else (int(256 * w / h), 256)
image = cv2.resize(image, (new_w, new_h), interpolation=cv2.INTER_AREA)
left, top = int((new_w - 224) / 2), int((new_h - 224) / 2)
image = image[top:top + 224, left:left + 224].astype('float32')
resnet = image - np.array([123.68, 116.78, 103.94], dtype=np.float32)
int8 = {'ResNet50': np.clip(resnet, -128, 127).astype(np.int8), 'MobileNet': (image - 128).astype(np.int8)}
for name, pixels in int8.items():
    linear = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    chw4 = np.ascontiguousarray(np.moveaxis(np.pad(linear, ((0, 1), (0, 0), (0, 0)), 'constant'), 0, -1))
    np.save(f'{sys.argv[2]}/{name}.int8_linear.npy', linear)
    np.save(f'{sys.argv[2]}/{name}.int8_chw4.npy', chw4)
np.save(f'{sys.argv[2]}/ResNet50.fp32.npy', np.ascontiguousarray(resnet.transpose(2, 0, 1)))
"""


class InFolder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="fovea-mlperf-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_it(self, *arguments, expect=OK):
        result = subprocess.run([PROGRAM, "mlperf", *map(str, arguments)], capture_output=True, text=True, timeout=120,
                                cwd=self.folder, errors="replace",
                                env={**os.environ, "FOVEA_TEST_DATA": str(DATA)})
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return result

    def check(self, version="v1.0", expect=OK):
        return json.loads(self.run_it("check", "build/submission", "--version", version, "--json", expect=expect).stdout)


class Packaging(InFolder):
    def make_logs(self, stamp="2026.11.24-01.00.00", benchmark="resnet50", **changes):
        base = self.folder / "build" / "logs" / stamp / "box" / benchmark
        for scenario in ("SingleStream", "Offline"):
            logs.write_run(base / scenario / "performance" / "run_1", scenario, "PerformanceOnly", **changes)
            logs.write_run(base / scenario / "accuracy", scenario, "AccuracyOnly", **changes)
            logs.write_accuracy(base / scenario / "accuracy")
        return base

    def package(self, *more, expect=OK):
        more = more if "--version" in more else (*more, "--version", "v1.0")
        return self.run_it("package", "--division", "open", "--submitter", "Acme", "--system", "box", *more, expect=expect)

    def test_logs_become_a_submission_that_checks_clean(self):
        base = self.make_logs()
        (base / "user.conf").write_text("*.Offline.target_qps = 500\n")
        self.package()
        report = self.check()
        self.assertEqual(report["verdict"], "ok", report)
        self.assertEqual([(r["scenario"], r["result"]) for r in report["results"]], [("Offline", 507.7), ("SingleStream", 3.0)])
        tree = self.folder / "build/submission/open/Acme"
        accuracy = tree / "results/box/resnet50/Offline/accuracy"
        whole = (base / "Offline/accuracy/mlperf_log_accuracy.json").read_bytes()
        self.assertEqual((accuracy / "accuracy.txt").read_text(),
                         f"accuracy=75.900%, good=37950, total=50000\nhash={hashlib.sha256(whole).hexdigest()}\n")
        self.assertEqual((accuracy / "mlperf_log_accuracy.json").read_bytes(),
                         whole[:4096] + b"\n\n...\n\n" + whole[-4096:])
        self.assertEqual((tree / "measurements/box/resnet50/Offline/user.conf").read_text(), "*.Offline.target_qps = 500\n")
        self.assertIn("cal_only", (tree / "code/resnet50/fovea/README.md").read_text())
        system = json.loads((tree / "systems/box.json").read_text())
        self.assertTrue(system["host_processor_model_name"] and system["operating_system"])
        self.assertEqual(list((self.folder / "build").glob("*.incomplete*")), [])

    def test_the_newest_layout(self):
        self.make_logs(version="current")
        self.package("--version", "current")
        self.assertEqual(self.check("current")["verdict"], "ok")
        self.assertTrue((self.folder / "build/submission/open/Acme/results/box/resnet50/Offline/measurements.json").exists())

    def test_networks_of_the_open_division_are_mapped(self):
        self.make_logs(version="current", benchmark="efficientnet-lite0")
        self.package("--version", "current")
        mapping = self.folder / "build/submission/open/Acme/model_mapping.json"
        self.assertEqual(json.loads(mapping.read_text()), {"efficientnet-lite0": "resnet"})
        self.assertEqual(self.check("current")["results"][0]["official_benchmark"], "resnet")
        mapping.write_text('{"efficientnet-lite0": "retinanet"}')
        self.assertEqual(self.check("current", expect=BAD_INPUT)["results"][0]["official_benchmark"], "retinanet")

    def test_the_newest_complete_run_is_taken(self):
        self.make_logs()
        newer = self.make_logs(stamp="2026.11.24-02.00.00", **{"result_samples_per_second": 600.0})
        broken = newer / "SingleStream/performance/run_1/mlperf_log_detail.txt"
        broken.write_text(broken.read_text()[:500])
        (newer / "SingleStream/performance/run_1/mlperf_log_summary.txt").write_text("")
        result = self.package()
        self.assertIn("did not come to its end", result.stderr)
        self.assertEqual({r["scenario"]: r["result"] for r in self.check()["results"]}, {"Offline": 600.0, "SingleStream": 3.0})

    def test_a_killed_run_is_a_gap(self):
        self.make_logs()
        self.package()
        run = self.folder / "build/submission/open/Acme/results/box/resnet50/Offline/performance/run_1"
        (run / "mlperf_log_detail.txt").write_text((run / "mlperf_log_detail.txt").read_text()[:700])
        (run / "mlperf_log_summary.txt").write_text("")
        self.assertEqual(self.check(expect=BAD_INPUT)["verdict"], "incomplete")

    def test_errors_name_what_is_wrong(self):
        self.assertIn("build/logs: no such folder", self.package(expect=BAD_INPUT).stderr)
        self.make_logs()
        self.package()
        self.assertIn("exists already", self.package(expect=BAD_INPUT).stderr)
        self.assertIn("expected one of v0.5", self.package("--version", "v7", expect=USAGE).stderr)
        shutil.copytree(self.folder / "build/logs/2026.11.24-01.00.00/box", self.folder / "build/logs/x/other")
        self.assertIn("no logs of the system 'third'",
                      self.package("-o", "build/s2", "--log-system", "third", expect=BAD_INPUT).stderr)
        self.run_it("check", "nowhere", expect=BAD_INPUT)

    def test_table_and_csv(self):
        self.make_logs()
        self.package()
        text = self.run_it("check", "build/submission", "--version", "v1.0", "--csv", "summary.csv").stdout
        self.assertIn("submission looks OK", text)
        self.assertIn("507.7", text)
        rows = (self.folder / "summary.csv").read_text().splitlines()
        self.assertTrue(rows[0].startswith("Organization,Availability,Division,SystemType,SystemName,Platform,Model"))
        self.assertEqual(len(rows), 3)

    def test_the_results_are_shown_as_a_table_and_a_page(self):
        base = self.make_logs()
        (base / "SingleStream/performance/run_2.incomplete").mkdir()
        text = self.run_it("report", "build/logs", "-o", "build/logs/results.html").stdout
        for part in ("3.000", "VALID", "507.7", "TEST01 missing", "run_2.incomplete",
                     "page: build/logs/results.html"):
            self.assertIn(part, text)
        page = (self.folder / "build/logs/results.html").read_text()
        self.assertIn("90.0th percentile latency", page)
        self.assertNotIn("<script", page)
        # Packaging and checking pass over the page.
        self.package()
        self.assertEqual(self.check()["verdict"], "ok")
        submission = json.loads(self.run_it("report", "build/submission", "--json").stdout)
        self.assertEqual([(r["system"], r["scenario"], r["performance"][0]["value"]) for r in submission["results"]],
                         [("open/Acme/box", "Offline", 507.7), ("open/Acme/box", "SingleStream", 3e6)])
        # One scenario of it, by its folder.
        one = json.loads(self.run_it("report", base / "Offline/", "--json").stdout)["results"]
        self.assertEqual([(r["system"], r["benchmark"]) for r in one], [("box", "resnet50")])
        self.assertIn("looked for <system>/<benchmark>/<scenario>", self.run_it("report", "build/submission/open/Acme/systems", expect=BAD_INPUT).stderr)
        self.run_it("report", "nowhere", expect=BAD_INPUT)
        self.run_it("report", expect=USAGE)

    def test_a_full_disk_leaves_nothing(self):
        self.make_logs()
        read_only = self.folder / "locked"
        read_only.write_text("")  # a file where a folder is needed
        self.package("-o", "locked/submission", expect=BAD_INPUT)

    def test_logs_of_loadgen_itself(self):
        if not logs.has_loadgen(LOADGEN_PYTHON):
            self.skipTest("no mlcommons-loadgen: give a Python that has it")
        base = self.folder / "build/logs/2026.11.24-01.00.00/box/resnet50/Offline"
        logs.real_run(LOADGEN_PYTHON, base / "performance/run_1", "Offline", "PerformanceOnly", self.folder / "user.conf")
        logs.real_run(LOADGEN_PYTHON, base / "accuracy", "Offline", "AccuracyOnly", self.folder / "user.conf")
        (base / "accuracy/accuracy.txt").write_text("accuracy=75.900%, good=1518, total=2000\n")
        self.package("--version", "current")
        report = self.check("current", expect=BAD_INPUT)
        rules = {f["rule"] for f in report["findings"] if f["severity"] == "error"}
        self.assertLessEqual(rules, {"performance.duration", "performance.errors", "performance.valid", "accuracy.dataset"}, report)
        self.assertIn("performance.duration", rules)
        self.assertGreater(report["results"][0]["result"], 0)

    def test_the_public_checker_agrees(self):
        checker = os.environ.get("SUBMISSION_CHECKER")
        if not checker:
            self.skipTest("SUBMISSION_CHECKER does not name MLCommons' submission-checker.py")
        self.make_logs()
        self.package()
        result = subprocess.run([sys.executable, checker, "--input", self.folder / "build/submission", "--version", "v1.0",
                                 "--csv", self.folder / "public.csv"], capture_output=True, text=True, timeout=120)
        self.assertIn("submission looks OK", result.stderr + result.stdout)


@unittest.skipUnless(PHOTOS.is_dir(), f"no photographs in {PHOTOS}")
class Preprocessing(InFolder):
    def setUp(self):
        super().setUp()
        images = self.folder / "build/data/imagenet"
        images.mkdir(parents=True)
        self.photos = sorted(p for p in PHOTOS.iterdir() if p.suffix.lower() in (".jpg", ".jpeg"))[:6]
        for photo in self.photos:
            shutil.copy(photo, images)
        self.maps = self.folder / "data_maps/imagenet"
        self.maps.mkdir(parents=True)
        (self.maps / "val_map.txt").write_text("".join(f"{p.name} {i}\n" for i, p in enumerate(self.photos[:4])))
        (self.maps / "cal_map.txt").write_text("".join(f"{p.name}\n" for p in self.photos[4:]))
        self.out = self.folder / "build/preprocessed_data/imagenet"

    def test_files_are_those_of_the_submissions(self):
        probe = PYTHON and Path(PYTHON).exists() and subprocess.run(
            [PYTHON, "-c", "import cv2, numpy"], capture_output=True).returncode == 0
        if not probe:
            self.skipTest("no numpy and OpenCV: give a Python that has them")
        self.run_it("preprocess", "--benchmarks=resnet50,mobilenet", "--val_only", "-d", "build/data", "-o",
                    "build/preprocessed_data")
        for photo in self.photos[:2]:
            subprocess.run([PYTHON, "-c", REFERENCE, str(photo), str(self.folder)], check=True)
            for name in ("ResNet50.int8_linear", "ResNet50.int8_chw4", "ResNet50.fp32", "MobileNet.int8_linear",
                         "MobileNet.int8_chw4"):
                network, form = name.split(".")
                made = self.out / network / form / (photo.name + ".npy")
                self.assertEqual(made.read_bytes(), (self.folder / f"{name}.npy").read_bytes(), f"{name} of {photo.name}")

    def test_it_goes_on_where_it_ended_and_repairs(self):
        command = ["preprocess", "-b", "mobilenet", "--formats=nhw4", "--val_only", "--json"]
        first = json.loads(self.run_it(*command).stdout)["sets"][0]
        self.assertEqual((first["written"], first["kept"]), (4, 0))
        folder = self.out / "MobileNet/int8_chw4"
        manifest = json.loads((folder / "manifest.json").read_text())["files"]
        for name, entry in manifest.items():
            self.assertEqual(hashlib.sha256((folder / f"{name}.npy").read_bytes()).hexdigest(), entry["sha256"])
        names = sorted(manifest)
        (folder / f"{names[0]}.npy").unlink()
        (folder / f"{names[1]}.npy.77.tmp").write_text("half")
        again = json.loads(self.run_it(*command).stdout)["sets"][0]
        self.assertEqual((again["written"], again["kept"]), (1, 3))
        self.assertEqual(list(folder.glob("*.tmp")), [])
        damaged = folder / f"{names[2]}.npy"
        damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x55")
        repaired = json.loads(self.run_it(*command, "--verify").stdout)["sets"][0]
        self.assertEqual((repaired["written"], repaired["kept"]), (1, 3))
        self.run_it("preprocess", "-b", "mobilenet", "--formats=nhw4", "--cal_only")
        self.assertEqual(len(json.loads((folder / "manifest.json").read_text())["files"]), 6)

    def test_an_interrupted_call_goes_on(self):
        lines = []
        for i in range(400):
            name = f"copy{i:03}.jpg"
            os.link(self.folder / "build/data/imagenet" / self.photos[0].name, self.folder / "build/data/imagenet" / name)
            lines.append(f"{name} 1\n")
        (self.maps / "val_map.txt").write_text("".join(lines))
        command = [PROGRAM, "mlperf", "preprocess", "-b", "mobilenet", "--formats=nhw4", "--val_only", "--json"]
        folder = self.out / "MobileNet/int8_chw4"
        for wanted, end in ((INTERRUPTED, signal.SIGINT), (-signal.SIGKILL, signal.SIGKILL)):
            before = len(list(folder.glob("*.npy")))
            process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while process.poll() is None and len(list(folder.glob("*.npy"))) <= before:
                time.sleep(0.01)
            process.send_signal(end)
            code = process.wait(60)
            if code == OK:
                self.skipTest("the machine is too fast for this test")
            self.assertEqual(code, wanted)
        rest = json.loads(self.run_it(*command[2:]).stdout)["sets"][0]
        self.assertEqual(rest["written"] + rest["kept"], 400)
        self.assertGreater(rest["kept"], 0)
        sizes = {p.stat().st_size for p in folder.glob("*.npy")}
        self.assertEqual(sizes, {128 + 224 * 224 * 4})

    def test_bad_images_are_named_and_the_others_written(self):
        (self.folder / "build/data/imagenet" / self.photos[0].name).write_bytes(b"no image")
        result = self.run_it("preprocess", "-b", "mobilenet", "--formats", "int8_chw4", "--val_only", expect=BAD_INPUT)
        self.assertIn(self.photos[0].name, result.stderr)
        self.assertIn("1 could not be read", result.stdout)
        self.assertEqual(len(list((self.out / "MobileNet/int8_chw4").glob("*.npy"))), 3)

    def test_errors_say_what_to_put_where(self):
        (self.maps / "val_map.txt").write_text("../../../outside.jpg 3\n")
        self.assertIn("lies outside", self.run_it("preprocess", "-b", "mobilenet", "--val_only", expect=BAD_INPUT).stderr)
        (self.maps / "val_map.txt").unlink()
        self.assertIn("write a line `file label`", self.run_it("preprocess", "-b", "mobilenet", "--val_only", expect=BAD_INPUT).stderr)
        self.assertIn("expected resnet50", self.run_it("preprocess", "-b", "resnet51", expect=USAGE).stderr)
        self.assertIn("use fp32", self.run_it("preprocess", "-b", "mobilenet-v2", "--formats=chw4", "--cal_only", expect=USAGE).stderr)

    def test_the_two_calibration_audits(self):
        model = "mobilenet-v1-0.25-128"
        command = ["calibrate", f"--benchmarks={model}", "--json"]
        made = json.loads(self.run_it(*command).stdout)["calibrations"][0]
        cache = self.folder / made["cache"]
        first = cache.read_text()
        self.assertRegex(first, r"^TRT-7203-EntropyCalibration2\n")
        self.assertRegex(first, r"(?m)^input: [0-9a-f]{8}$")
        self.assertEqual(made["images"], 2)
        self.assertTrue((self.folder / made["network"]).exists())
        # New calibration data set.
        (self.maps / "cal_map.txt").write_text(f"{self.photos[0].name}\n")
        self.run_it(*command)
        self.assertNotEqual(cache.read_text(), first)
        # New weights: a prequantised network keeps its own scales, and needs no image.
        second = cache.read_text()
        place = self.folder / "build/models" / model
        place.mkdir(parents=True)
        shutil.move(self.folder / made["network"], place / "net_sym_no_bn.onnx")
        shutil.rmtree(self.folder / "build/data")
        again = json.loads(self.run_it(*command).stdout)["calibrations"][0]
        self.assertTrue(again["prequantised"])
        kept = dict(line.split(": ") for line in cache.read_text().splitlines()[1:])
        before = dict(line.split(": ") for line in second.splitlines()[1:])
        self.assertEqual(kept["input"], before["input"])
        (place / "other.onnx").write_bytes(b"")
        self.assertIn("expected one network", self.run_it(*command, expect=BAD_INPUT).stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
