"""The HTML report in a real browser: nothing is fetched, no error, no sideways scrolling, readable by keyboard and in the dark.

Usage: browser_test.py PATH_OF_FOVEA PYTHON. PYTHON is an interpreter with selenium (and axe-selenium-python). Without it, or
without Chromium, the test is skipped, saying so. FOVEA_KEEP_SCREENSHOTS=DIR keeps the pictures.
"""

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SKIPPED = 77
PROGRAM = sys.argv.pop(1)
PYTHON = Path(sys.argv.pop(1))
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select
except ImportError:
    if PYTHON.exists() and Path(sys.executable) != PYTHON:
        os.execv(PYTHON, [str(PYTHON), __file__, PROGRAM, str(PYTHON), *sys.argv[1:]])
    print(f"SKIPPED: no selenium in {sys.executable} or {PYTHON}")
    sys.exit(SKIPPED)
if not CHROMIUM or not DRIVER:
    print("SKIPPED: chromium and chromedriver are not installed")
    sys.exit(SKIPPED)

import sample_records  # noqa: E402

sys.path.insert(0, str(ROOT / "tests" / "mlperf"))
import submission_logs  # noqa: E402

DESKTOP, PHONE = (1280, 900), (375, 812)


def axe_source():
    try:
        import axe_selenium_python
    except ImportError:
        return None
    found = list(Path(axe_selenium_python.__file__).parent.rglob("axe.min.js"))
    return found[0].read_text(encoding="utf-8") if found else None


class BrowserTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
                     "--disable-component-update", "--disable-dev-shm-usage", "--force-device-scale-factor=1",
                     f"--user-data-dir={cls.folder / 'profile'}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        cls.browser = webdriver.Chrome(options=options, service=Service(DRIVER))
        cls.pictures = Path(os.environ.get("FOVEA_KEEP_SCREENSHOTS") or cls.folder)
        cls.pages = {}
        mistakes = []
        images = sorted((DATA / "imagenet-sample" / "val").glob("*.JPEG"))[:8] if DATA.exists() else []
        for i, image in enumerate([*images, Path("/nowhere/gone.jpg")]):
            mistakes.append({"file": str(image), "actual": i, "predicted": 500 + i, "actual_name": "tench, Tinca tinca",
                             "predicted_name": "cocktail shaker", "probability": 0.95 - 0.07 * i})
        cls.full = sample_records.full_record(mistakes=mistakes)
        noisy = sample_records.full_record(7, 12.0)
        noisy["noise"].update(verdict="noisy", reasons=["other processes used 12.3 % of all processors"])
        noisy["name"] = "resnet50 on a shared machine"
        cls.make("one", cls.full)
        cls.make("several", cls.full, noisy, sample_records.sweep_record())
        cls.make("hostile", sample_records.hostile_record())
        cls.make("least", sample_records.least_record())
        cls.make_mlperf("mlperf")

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def make(cls, name, *records):
        files = []
        for i, record in enumerate(records):
            files.append(cls.folder / f"{name}{i}.json")
            files[-1].write_text(json.dumps(record), encoding="utf-8")
        page = cls.folder / f"{name}.html"
        subprocess.run([PROGRAM, "report", "html", *map(str, files), "-o", str(page), "--quiet"], check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        cls.pages[name] = page

    @classmethod
    def make_mlperf(cls, name):
        """The page of results of `fovea mlperf report`: charts without scripts."""
        base = cls.folder / "logs" / "a-system-with-a-rather-long-name_<b>" / "resnet50"
        latencies = {"min": 1.2, "50.00_percentile": 2.3, "90.00_percentile": 5.1, "95.00_percentile": 6.4,
                     "97.00_percentile": 7.9, "99.00_percentile": 13.1, "99.90_percentile": 19.4, "mean": 2.9, "max": 61}
        figures = {f"result_{what}_latency_ns": int(ms * 1e6) for what, ms in latencies.items()}
        for scenario, changes in (("SingleStream", {}), ("Server", {
                "effective_target_latency_ns": 15_000_000, "result_completed_samples_per_sec": 401.2,
                "result_validity": "INVALID", "result_invalid_reason": "Reduce target QPS to improve latency."})):
            submission_logs.write_run(base / scenario / "performance" / "run_1", scenario, "PerformanceOnly", **figures, **changes)
            (base / scenario / "performance" / "run_1" / "run.json").write_text(json.dumps(
                {"rules": "v1.0", "trial": True, "settings": {"min_duration_ms": 1000, "qsl_rng_seed": 7322528924094909334},
                 "not_a_valid_submission": ["min_duration is 1,000 ms, the rules ask for 600,000"],
                 "disturbances": ["other processes used 12.3 % of all processors"]}))
        submission_logs.write_run(base / "SingleStream" / "accuracy", "SingleStream", "AccuracyOnly")
        submission_logs.write_accuracy(base / "SingleStream" / "accuracy")
        (base / "Server" / "accuracy.incomplete").mkdir()
        (base / "Server" / "server_curve.json").write_text(json.dumps({"limit_ms": 15, "best_qps": 380, "points": [
            {"target_qps": q, "completed_qps": q, "p99_ms": p, "valid": p < 15} for q, p in ((300, 6), (380, 13), (400, 60), (450, 900))]}))
        cls.pages[name] = cls.folder / f"{name}.html"
        subprocess.run([PROGRAM, "mlperf", "report", str(cls.folder / "logs"), "-o", str(cls.pages[name]), "--quiet"],
                       check=True, timeout=60, stdout=subprocess.DEVNULL)

    def open(self, name, size=DESKTOP, dark=False):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                     {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE})
        self.browser.get(self.pages[name].as_uri())

    def script(self, text, *arguments):
        return self.browser.execute_script(text, *arguments)

    def picture(self, name):
        height = min(self.script("return document.documentElement.scrollHeight"), 9000)
        width = self.script("return document.documentElement.clientWidth")
        made = self.browser.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
        data = base64.b64decode(made["data"])
        (self.pictures / f"{name}.png").write_bytes(data)
        return data

    def pixel(self, x=2, y=2):
        try:
            from PIL import Image
        except ImportError:
            self.skipTest("no Pillow")
        return Image.open(io.BytesIO(self.browser.get_screenshot_as_png())).convert("RGB").getpixel((x, y))

    def test_nothing_is_fetched_and_nothing_goes_wrong(self):
        self.browser.get_log("performance"), self.browser.get_log("browser")
        for name in self.pages:
            self.open(name)
            asked = set()
            for entry in self.browser.get_log("performance"):
                message = json.loads(entry["message"])["message"]
                if message["method"] == "Network.requestWillBeSent":
                    asked.add(message["params"]["request"]["url"].split(",")[0])
            outside = {url for url in asked if not url.startswith(("data:", self.pages[name].as_uri()))}
            self.assertEqual(outside, set(), name)
            self.assertEqual(self.browser.get_log("browser"), [], name)

    def test_texts_of_records_stay_texts(self):
        self.open("hostile")
        self.assertNotIn("broken in", self.browser.title.split("</script>")[0])
        self.assertTrue(self.browser.title.startswith("</script><script>"))
        self.assertEqual(self.script("return document.scripts.length"), 3)
        self.assertEqual(self.script("return document.querySelectorAll('[onerror]').length"), 0)
        self.assertEqual(self.script("return document.querySelectorAll('img[src=x]').length"), 0)

    def test_the_policy_stops_a_script_that_is_not_the_page_s_own(self):
        page = self.folder / "injected.html"
        text = self.pages["one"].read_text(encoding="utf-8")
        page.write_text(text.replace("</main>", "<script>window.broken = 1</script><img src='http://127.0.0.1:9/x.png'></main>"))
        self.browser.get(page.as_uri())
        self.assertIsNone(self.script("return window.broken"))
        self.assertIn("Content Security Policy", " ".join(e["message"] for e in self.browser.get_log("browser")))

    def test_every_chart_is_drawn_and_has_its_words(self):
        self.open("several")
        drawn = self.script("""
            return [...document.querySelectorAll('canvas')].map((c) => {
              const pixels = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
              let coloured = 0;
              for (let i = 3; i < pixels.length; i += 4) coloured += pixels[i] > 0;
              return [c.dataset.chart, coloured / (c.width * c.height), c.getAttribute('aria-label')];
            });""")
        self.assertEqual({kind for kind, _, _ in drawn}, {"histogram", "cdf", "roofline", "bars", "batch", "instances"})
        for kind, coloured, words in drawn:
            self.assertGreater(coloured, 0.005, kind)
            self.assertGreater(len(words), 20, kind)

    def test_charts_of_mlperf_need_no_script(self):
        self.open("mlperf")
        self.assertEqual(self.script("return document.scripts.length"), 0)
        drawn = self.script("""
            return [...document.querySelectorAll('svg.plot')].map((s) => {
              const frame = s.getBoundingClientRect(), inside = (e) => {
                const r = e.getBoundingClientRect();
                return r.left >= frame.left - 1 && r.right <= frame.right + 1 && r.top >= frame.top - 1 && r.bottom <= frame.bottom + 1;
              };
              return [s.getAttribute('aria-label'), [...s.querySelectorAll('text')].filter((t) => !inside(t)).map((t) => t.textContent),
                      s.querySelectorAll('.rule').length, getComputedStyle(s.querySelector('.joined')).stroke];
            });""")
        self.assertEqual([rules for _, _, rules, _ in drawn], [2, 1, 1])  # Server, its search, SingleStream
        for words, outside, _, stroke in drawn:
            self.assertGreater(len(words), 20)
            self.assertEqual(outside, [])
            self.assertIn("rgb", stroke)

    def test_no_sideways_scrolling(self):
        for name in self.pages:
            for size in (PHONE, DESKTOP, *([(320, 640)] if name == "one" else [])):
                self.open(name, size)
                self.assertLessEqual(self.script("return document.documentElement.scrollWidth"), size[0], f"{name} at {size}")

    def test_themes_follow_the_system_and_the_choice(self):
        self.open("one")
        self.script("try { localStorage.clear() } catch {}")
        brightness = {}
        for dark in (False, True):
            self.open("one", dark=dark)
            brightness[dark] = sum(self.pixel())
        self.assertGreater(brightness[False], 600)
        self.assertLess(brightness[True], 200)
        Select(self.browser.find_element(By.ID, "theme")).select_by_value("light")
        self.assertGreater(sum(self.pixel()), 600)
        Select(self.browser.find_element(By.ID, "theme")).select_by_value("auto")
        self.assertLess(sum(self.pixel()), 200)

    def test_keyboard_reaches_everything_and_shows_where_it_is(self):
        self.open("one")
        reached, unseen = [], []
        for _ in range(40):
            self.browser.switch_to.active_element.send_keys(Keys.TAB)
            tag, shown = self.script("""const e = document.activeElement;
                return [e.tagName + '.' + e.className, getComputedStyle(e).outlineStyle !== 'none'];""")
            if tag == "BODY.":
                break
            reached.append(tag)
            if not shown:
                unseen.append(tag)
        self.assertEqual(reached[0], "A.skip")
        self.assertIn("SELECT.", reached)
        self.assertIn("SUMMARY.", reached)
        closed = self.script("return document.querySelectorAll('details:not([open]) .table').length")
        self.assertEqual(reached.count("DIV.table"), self.script("return document.querySelectorAll('.table').length") - closed)
        self.assertEqual(unseen, [])

    def test_accessibility_rules(self):
        source = axe_source()
        if not source:
            self.skipTest("no axe-selenium-python")
        for name, dark in (("one", False), ("one", True), ("several", False), ("least", False), ("mlperf", False), ("mlperf", True)):
            self.open(name, dark=dark)
            self.script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
            self.script(source)
            found = self.browser.execute_async_script("const done = arguments[0]; axe.run().then(done, (e) => done({violations: [String(e)]}))")
            told = [(v["id"], [n["target"] for n in v["nodes"]][:3]) if isinstance(v, dict) else v for v in found["violations"]]
            self.assertEqual(told, [], f"{name} {'dark' if dark else 'light'}")

    def test_thumbnails(self):
        self.open("one")
        # They are decoded when they are about to be seen: asked for at once, and waited for.
        sizes = self.browser.execute_async_script("""
            const done = arguments[0], images = [...document.querySelectorAll('.mistakes img')];
            images.forEach((i) => { i.loading = 'eager'; });
            Promise.all(images.map((i) => i.decode())).then(
                () => done(images.map((i) => [i.naturalWidth, i.naturalHeight])), (e) => done([[String(e)]]));""")
        self.assertEqual(len(sizes), len(self.full["accuracy"]["mistakes"]) - 1)
        for size in sizes:
            self.assertEqual(max(size), 128)
        self.assertEqual(self.script("return document.querySelectorAll('.missing').length"), 1)

    def test_pictures(self):
        every = [(name, size, dark) for name in ("one", "several", "mlperf") for size in (DESKTOP, PHONE) for dark in (False, True)]
        for name, size, dark in every if "FOVEA_KEEP_SCREENSHOTS" in os.environ else every[1::4]:
            self.open(name, size, dark)
            at = "phone" if size == PHONE else "desktop"
            self.assertGreater(len(self.picture(f"{name}-{at}-{'dark' if dark else 'light'}")), 20_000)

    def test_print_is_light_and_whole(self):
        self.open("one", dark=True)
        pdf = self.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
        data = base64.b64decode(pdf["data"])
        self.assertTrue(data.startswith(b"%PDF"))
        if "FOVEA_KEEP_SCREENSHOTS" in os.environ:
            (self.pictures / "one.pdf").write_bytes(data)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
