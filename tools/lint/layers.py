#!/usr/bin/env python3
"""Checks the layers: a folder under src/ includes only folders of lower rank, and itself. One table of ranks.

Also checks what STYLE asks of every source file: size limits, no getenv outside base/knobs, no printing below cli/,
foreign headers only in their folder. Exits 1 and names each line that breaks a rule.
"""

import re
import sys
from pathlib import Path

# Folder -> rank. Folders of equal rank never see each other. The order is DESIGN's map.
RANKS = {
    "base": 0,
    "tensor": 1,
    "kernels": 1,
    "graph": 2,
    "data": 2,
    "ops": 3,
    "import/wire": 3,
    "import/onnx": 4,
    "import/tensorflow": 4,
    "import/torch": 4,
    "export/onnx": 4,
    "plan": 4,
    "passes": 5,
    "backends/reference": 6,
    "backends/cpu": 6,
    "backends/onednn": 6,
    "runtime": 7,
    "quant": 8,
    "zoo": 9,
    "measure": 10,
    "report": 10,
    "api": 10,
    "mlperf": 11,
    "cli": 12,
}

# Foreign header -> the only folders that may include it.
FOREIGN = {
    r"oneapi/dnnl|dnnl": ["backends/onednn"],
    r"onnx/": ["import/onnx", "export/onnx"],
    r"google/protobuf": ["import/wire", "import/onnx", "import/tensorflow", "export/onnx"],
    r"jpeglib|turbojpeg|png\.h": ["data"],
    r"hwloc": ["base"],
    r"CLI/": ["cli"],
    r"pybind11/|system_under_test\.h|query_sample_library\.h": ["mlperf"],
    r"immintrin": ["base", "kernels", "measure"],
}

HARD_LINES = 800
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def folder_of(path: str):
    """The ranked folder that a path under src/ lies in, or None."""
    parts = path.split("/")
    for depth in (2, 1):
        name = "/".join(parts[:depth])
        if name in RANKS:
            return name
    return None


def check_file(root: Path, file: Path):
    relative = file.relative_to(root / "src").as_posix()
    folder = folder_of(relative)
    if folder is None:
        yield 1, f"src/{relative} lies in no folder of the rank table"
        return
    is_test = relative.endswith("_test.cpp")
    lines = file.read_text(encoding="utf-8").splitlines()
    if len(lines) > HARD_LINES:
        yield len(lines), f"{len(lines)} lines, the limit is {HARD_LINES}"
    for number, line in enumerate(lines, 1):
        if re.search(r"\bgetenv\s*\(", line) and not relative.startswith("base/knobs"):
            yield number, "getenv outside base/knobs"
        if folder != "cli" and not is_test and "bench" not in file.name and re.search(r"std::c(out|err)\b|\bprintf\s*\(", line):
            yield number, "prints, which only cli/ may"
        match = INCLUDE.match(line)
        if not match:
            continue
        included = match.group(2)
        target = folder_of(included)
        if target and not is_test and target != folder and RANKS[target] >= RANKS[folder]:
            yield number, f"{folder} (rank {RANKS[folder]}) includes {target} (rank {RANKS[target]})"
        for pattern, folders in FOREIGN.items():
            if re.match(pattern, included) and folder not in folders and not is_test:
                yield number, f"{included} belongs to {', '.join(folders)} only"


def main():
    root = Path(__file__).resolve().parents[2]
    failures = 0
    for file in sorted((root / "src").rglob("*")):
        if file.suffix in (".h", ".cpp", ".inc"):
            for number, message in check_file(root, file):
                print(f"{file.relative_to(root)}:{number}: {message}")
                failures += 1
    print(f"layers: {failures} finding(s)")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
