"""`fovea report` and --report from outside: records that fit their schema, comparisons with exit codes, bad input.

Usage: report_test.py PATH_OF_FOVEA PYTHON. PYTHON is an interpreter with jsonschema; without it, the checks against the
schema are skipped, saying so.
"""

import copy
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM = sys.argv.pop(1)
PYTHON = Path(sys.argv.pop(1))
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")
MODEL = DATA / "models" / "mobilenet_v1_0.25_128_fp32.onnx"
VAL, VAL_MAP = DATA / "imagenet-sample" / "val", DATA / "imagenet-sample" / "val_map.txt"
SCHEMA = ROOT / "docs" / "run_record.schema.json"
OK, USAGE, BAD_INPUT, SLOWER, UNSTABLE, INTERRUPTED = 0, 2, 3, 6, 7, 9

sys.path.insert(0, str(ROOT / "tests" / "report"))
import sample_records  # noqa: E402

VALIDATE = """
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
wrong = list(jsonschema.Draft202012Validator(schema).iter_errors(json.load(open(sys.argv[2]))))
sys.exit("\\n".join(f"{e.json_path}: {e.message}" for e in wrong)[:2000] or 0)
"""


def run(*arguments, timeout=120):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, errors="replace")


def schema_errors(path):
    """What is wrong with the record, or None where jsonschema is missing."""
    for python in (PYTHON, Path(sys.executable)):
        if python.exists() and subprocess.run([python, "-c", "import jsonschema"], capture_output=True).returncode == 0:
            found = subprocess.run([python, "-c", VALIDATE, SCHEMA, path], capture_output=True, text=True)
            return found.stderr.strip() or ("" if found.returncode == 0 else "failed")
    return None


class ReportTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def put(self, record, name="record.json"):
        path = self.folder / name
        path.write_text(record if isinstance(record, str) else json.dumps(record), encoding="utf-8")
        return path

    def expect_error(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        last = result.stderr.strip().splitlines()[-1]
        self.assertTrue(last.startswith("fovea: error: "), result.stderr)
        for word in words:
            self.assertIn(word, last)

    def check_schema(self, path):
        found = schema_errors(path)
        if found is None:
            print("SKIPPED the schema: no Python with jsonschema")
            return
        self.assertEqual(found, "", path)


class Records(ReportTest):
    def test_made_up_records_fit_the_schema_and_broken_ones_do_not(self):
        for name in ("full_record", "sweep_record", "least_record", "hostile_record"):
            path = self.put(getattr(sample_records, name)())
            self.check_schema(path)
            self.assertEqual(run("report", "show", path).returncode, OK, name)
        broken = sample_records.full_record()
        broken["verdict"]["state"] = "fine"
        path = self.put(broken)
        if schema_errors(path) is not None:
            self.assertIn("verdict.state", schema_errors(path))
        self.expect_error(run("report", "show", path), BAD_INPUT, str(path), "verdict.state", "valid, partial, invalid", '"fine"')

    def test_show_names_what_matters(self):
        text = run("report", "show", self.put(sample_records.full_record())).stdout
        for word in ("resnet50", "valid; machine quiet", "63.4 % of the measured peak", "top-1 74.60 %", "812.4 J", "n too small"):
            self.assertIn(word, text)
        sweep = run("report", "show", self.put(sample_records.sweep_record())).stdout
        self.assertEqual(len(re.findall(r"^(?:fp32|bf16|int8) ", sweep, re.M)), 24)
        hostile = sample_records.full_record()
        hostile["name"] = "a\x1b[31mb"
        self.assertNotIn("\x1b", run("report", "show", self.put(hostile)).stdout)

    def test_show_as_json_gives_the_record_back(self):
        record = sample_records.full_record()
        shown = json.loads(run("report", "show", self.put(record), "--json").stdout)["records"][0]
        self.assertEqual(shown["latency_ms"], record["latency_ms"])
        self.assertEqual(shown["settings"], record["settings"])
        self.check_schema(self.put(shown, "again.json"))

    def test_csv(self):
        files = [self.put(sample_records.full_record(), "a.json"), self.put(sample_records.hostile_record(), "b.json")]
        result = run("report", "csv", *files)
        self.assertEqual(result.returncode, OK, result.stderr)
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        self.assertEqual([r["kind"] for r in rows], ["launch", "launch"])
        self.assertEqual(rows[0]["verdict"], "valid")
        self.assertAlmostEqual(float(rows[0]["p50_ms"]), sample_records.full_record()["latency_ms"]["p50"], places=3)
        self.assertNotIn(None, rows[1])

    def test_html_is_one_file_with_a_title(self):
        page = self.folder / "page.html"
        result = run("report", "html", self.put(sample_records.full_record()), "-o", page, "--title", "A < B")
        self.assertEqual(result.returncode, OK, result.stderr)
        text = page.read_text(encoding="utf-8")
        self.assertIn("<title>A &lt; B</title>", text)
        self.assertNotRegex(text.split("<script>")[0], r"(src|href)=[\"']?(https?:)?//")

    def test_bad_input_is_named(self):
        self.expect_error(run("report", "show", self.folder / "none.json"), BAD_INPUT, "none.json", "no such file")
        self.expect_error(run("report", "show", self.put("{")), BAD_INPUT, "not JSON")
        self.expect_error(run("report", "show", self.put("{}")), BAD_INPUT, "not a run record")
        self.expect_error(run("report", "show", self.put('{"schema": 1}')), BAD_INPUT, "--report FILE.json")
        self.expect_error(run("report", "html", self.put(sample_records.least_record()), "-o", self.folder / "no" / "page.html"), BAD_INPUT)
        self.assertEqual(run("report").returncode, USAGE)
        self.assertEqual(run("report", "html", self.put(sample_records.least_record())).returncode, USAGE)


class Comparisons(ReportTest):
    def test_exit_codes(self):
        base = self.put(sample_records.full_record(1, 10.0), "base.json")
        for level, code, word in ((8.0, OK, "faster"), (10.0, OK, "same"), (12.0, SLOWER, "slower"), (10.1, UNSTABLE, "undecided")):
            other = self.put(sample_records.full_record(5, level), "other.json")
            result = run("report", "compare", base, other)
            self.assertEqual(result.returncode, code, f"{level}: {result.stdout} {result.stderr}")
            self.assertTrue(result.stdout.startswith(word), result.stdout)
        slower = json.loads(run("report", "compare", base, self.put(sample_records.full_record(5, 12.0), "other.json"), "--json").stdout)
        self.assertAlmostEqual(slower["ratio"], 10 / 12, places=2)
        self.assertLess(slower["ratio_ci95_low"], slower["ratio"])
        self.assertGreater(slower["ratio_ci95_high"], slower["ratio"])

    def test_sets(self):
        before = [self.put(sample_records.full_record(i, 10.0 + i / 50), f"b{i}.json") for i in range(3)]
        after = [self.put(sample_records.full_record(10 + i, 9.0 + i / 50), f"a{i}.json") for i in range(3)]
        result = run("report", "compare", "--before", *before, "--after", *after)
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertIn("Welch", result.stdout)
        self.expect_error(run("report", "compare", "--before", *before), USAGE, "--after")
        self.expect_error(run("report", "compare", before[0]), USAGE, "two records")

    def test_what_differs_is_refused_and_named(self):
        other = sample_records.full_record(2, 9.0)
        other["model"]["name"] = "mobilenet"
        other["machine"]["cpu"] = "Another CPU"
        base, path = self.put(sample_records.full_record(), "base.json"), self.put(other, "other.json")
        self.expect_error(run("report", "compare", base, path), BAD_INPUT, "mobilenet", "Another CPU", "--force")
        forced = run("report", "compare", base, path, "--force")
        self.assertEqual(forced.returncode, OK, forced.stderr)
        self.assertIn("differs: model: resnet50; mobilenet", forced.stdout)
        invalid = copy.deepcopy(sample_records.full_record(2, 9.0))
        invalid["verdict"] = {"state": "invalid", "reasons": ["instance 1 died"]}
        self.expect_error(run("report", "compare", base, self.put(invalid, "invalid.json")), UNSTABLE, "instance 1 died")


@unittest.skipUnless(MODEL.exists(), f"no test data at {DATA} (set FOVEA_TEST_DATA)")
class FromRuns(ReportTest):
    def test_bench(self):
        path = self.folder / "bench.json"
        result = run("bench", "--model", MODEL, "--seconds", "0.5", "--instances", "2", "--threads", "1", "--report", path, "--quiet")
        self.assertIn(result.returncode, (OK, UNSTABLE), result.stderr)
        self.check_schema(path)
        record = json.loads(path.read_text())
        self.assertEqual(record["kind"], "bench")
        self.assertEqual(len(record["instances"]), 2)
        everything = sorted(v for i in record["instances"] for v in i["samples_ms"])
        self.assertEqual(len(everything), record["latency_ms"]["count"])
        self.assertEqual(everything[0], record["latency_ms"]["min"])
        self.assertEqual(everything[-1], record["latency_ms"]["max"])
        self.assertEqual(everything[-(-len(everything) // 2) - 1], record["latency_ms"]["p50"])
        self.assertEqual(record["images"], len(everything))
        self.assertGreater(len(record["layers"]), 10)
        self.assertIn(record["noise"]["verdict"], ("quiet", "noisy", "unknown"))
        self.assertTrue("joules" in record["energy"] or record["energy"]["absent_because"])
        self.assertEqual(len(record["model"]["sha256"]), 64)

    def test_eval_shows_its_mistakes(self):
        page, path = self.folder / "eval.html", self.folder / "eval.json"
        arguments = ["eval", "--model", MODEL, "--data", VAL, "--map", VAL_MAP, "--limit", "24", "--resize", "none", "--crop", "224", "--quiet"]
        self.assertEqual(run(*arguments, "--report", path).returncode, OK)
        self.assertEqual(run(*arguments, "--report", page).returncode, OK)
        self.check_schema(path)
        accuracy = json.loads(path.read_text())["accuracy"]
        self.assertEqual(accuracy["images"], 24)
        self.assertEqual(len(accuracy["mistakes"]), 24 - round(24 * accuracy["top1"] / 100))
        for mistake in accuracy["mistakes"]:
            self.assertNotEqual(mistake["actual"], mistake["predicted"])
            self.assertTrue(0 < mistake["probability"] <= 1)
            self.assertTrue(Path(mistake["file"]).exists())
        self.assertEqual(page.read_text(encoding="utf-8").count("data:image/jpeg;base64,"), len(accuracy["mistakes"]))

    def test_an_interrupted_run_is_partial(self):
        path = self.folder / "partial.json"
        process = subprocess.Popen([PROGRAM, "bench", "--model", str(MODEL), "--seconds", "60", "--report", str(path), "--quiet"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(5)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), INTERRUPTED)
        record = json.loads(path.read_text())
        self.assertEqual(record["instances"][0]["state"], "interrupted")
        self.assertIn(record["verdict"]["state"], ("partial", "invalid"))
        self.assertIn("interrupted", record["verdict"]["reasons"])

    def test_the_name_s_ending_is_checked_before_the_run(self):
        began = time.monotonic()
        self.expect_error(run("bench", "--model", MODEL, "--seconds", "30", "--report", self.folder / "report.pdf"), USAGE, ".json, .csv or .html")
        self.assertLess(time.monotonic() - began, 20)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
