"""`fovea dataset` from outside, with records that another implementation wrote: this file's own.

Usage: tfrecord_test.py PATH_OF_FOVEA. Needs no package beyond Python's own.
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

PROGRAM = sys.argv.pop(1)
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA") or ROOT.parent / "shared" / "data")
MODEL = DATA / "models" / "mobilenet_v1_0.25_128_fp32.onnx"
VAL, VAL_MAP = DATA / "imagenet-sample" / "val", DATA / "imagenet-sample" / "val_map.txt"
OK, USAGE, BAD_INPUT, INTERRUPTED = 0, 2, 3, 9

TABLE = []
for n in range(256):
    for _ in range(8):
        n = (n >> 1) ^ 0x82F63B78 if n & 1 else n >> 1
    TABLE.append(n)


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(data):
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def example(features):
    entries = b""
    for key, value in features.items():
        feature = field(1, field(1, value)) if isinstance(value, bytes) else field(3, field(1, varint(value)))
        entries += field(1, field(1, key.encode()) + field(2, feature))
    return field(1, entries)


def run(*arguments, timeout=120):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, errors="replace")


@unittest.skipUnless(MODEL.exists(), f"no test data at {DATA} (set FOVEA_TEST_DATA)")
class TfRecordTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.lines = [line.split() for line in VAL_MAP.read_text().splitlines()[:12]]
        self.map = self.folder / "map.txt"
        self.map.write_text("".join(f"{name} {label}\n" for name, label in self.lines))

    def accuracy(self, *data):
        result = run("eval", "--model", MODEL, *data, "--json", "--quiet")
        self.assertEqual(result.returncode, OK, result.stderr)
        record = json.loads(result.stdout)
        return record["top1"], record["top5"], record["images"], record["failed"]

    def test_records_of_another_writer(self):
        folder = self.folder / "other"
        folder.mkdir()
        for shard in range(2):
            data = b""
            for name, label in self.lines[shard * 6:shard * 6 + 6]:
                data += record(example({"image/class/text": b"unknown to us", "image/class/label": int(label) + 1,
                                        "image/encoded": (VAL / name).read_bytes(), "image/filename": name.encode()}))
            (folder / f"validation-{shard:05d}-of-00002").write_bytes(data)
        self.assertEqual(self.accuracy("--data", folder), self.accuracy("--data", VAL, "--map", self.map))
        self.assertEqual(run("dataset", "check", "--data", folder).returncode, OK)

    def test_there_and_back(self):
        records, images = self.folder / "records", self.folder / "images"
        result = run("dataset", "to-tfrecord", "--data", VAL, "--map", self.map, "--to", records, "--shards", 5, "--json")
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertEqual(json.loads(result.stdout)["images"], 12)
        self.assertEqual(len(list(records.iterdir())), 5)
        first = (records / "validation-00000-of-00005").read_bytes()
        length = struct.unpack("<Q", first[:8])[0]
        self.assertEqual(first[:12 + length + 4], record(first[12:12 + length]))
        self.assertEqual(run("dataset", "from-tfrecord", "--data", records, "--to", images).returncode, OK)
        self.assertEqual((images / "map.txt").read_text(), self.map.read_text())
        for name, _ in self.lines:
            self.assertEqual((images / name).read_bytes(), (VAL / name).read_bytes())
        again = self.folder / "again"
        run("dataset", "to-tfrecord", "--data", images, "--map", images / "map.txt", "--to", again, "--shards", 5, "--threads", 1)
        for path in records.iterdir():
            self.assertEqual(path.read_bytes(), (again / path.name).read_bytes())

    def test_damage_is_counted(self):
        records = self.folder / "records"
        run("dataset", "to-tfrecord", "--data", VAL, "--map", self.map, "--to", records, "--shards", 3)
        whole = (records / "validation-00001-of-00003").read_bytes()
        (records / "validation-00001-of-00003").write_bytes(whole[:5000] + b"?" + whole[5001:])
        result = run("dataset", "check", "--data", records)
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertIn("checksum", result.stderr)
        self.assertIn("11 of 12", result.stdout)
        self.assertEqual(self.accuracy("--data", records)[2:], (11, 1))
        (records / "validation-00001-of-00003").unlink()
        self.assertEqual(self.accuracy("--data", records)[2:], (8, 1))
        self.assertIn("is missing", run("dataset", "check", "--data", records).stderr)

    def test_usage(self):
        for words, *arguments in (("--to", "to-tfrecord", "--data", VAL), ("--to", "check", "--data", VAL, "--to", "x"),
                                  ("action", "copy", "--data", VAL), ("one image", "to-tfrecord", "--data", VAL, "--map", self.map, "--to", self.folder / "x", "--shards", 13)):
            result = run("dataset", *arguments)
            self.assertEqual(result.returncode, USAGE, result.stderr)
            self.assertIn(words, result.stderr)
        result = run("dataset", "from-tfrecord", "--data", VAL, "--to", self.folder / "y")
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertIn("no TFRecord shard", result.stderr)

    def test_an_interruption_leaves_nothing(self):
        many = self.folder / "many.txt"
        many.write_text(self.map.read_text() * 2000)
        records = self.folder / "records"
        process = subprocess.Popen([PROGRAM, "dataset", "to-tfrecord", "--data", VAL, "--map", many, "--to", records, "--shards", "4", "--quiet"],
                                   stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, INTERRUPTED, errors)
        self.assertEqual(list(records.iterdir()), [])


if __name__ == "__main__":
    unittest.main(verbosity=1)
