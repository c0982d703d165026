#!/usr/bin/env python3
"""Installs a build into a fresh prefix, builds examples/consumer against it, and runs it.

usage: install_test.py <source folder> <build folder>
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def run(*command, environment=None, expect=0):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=environment)
    if result.returncode != expect:
        sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}, expected {expect}\n"
                 f"{result.stdout}{result.stderr}")
    return result.stdout


def visible_symbols(library):
    """The names that the library defines for others, without those of the standard library's templates."""
    names = [line.split(maxsplit=2)[2] for line in run("nm", "-DC", "--defined-only", library).splitlines()]
    return [n for n in names if n.split("<")[0].removeprefix("typeinfo for ").startswith("fovea::")]


def field(number, value):
    """One protobuf field: a varint for an int, a length-delimited one for text and messages."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    payload = value.encode() if isinstance(value, str) else b"".join(value)
    assert len(payload) < 128
    return bytes([number << 3 | 2, len(payload)]) + payload


def relu_model():
    """An ONNX model of one Relu on f32[1,3,2,2], opset 13; field numbers are those of onnx.proto."""
    def port(name):
        dims = [field(1, [field(1, extent)]) for extent in (1, 3, 2, 2)]
        return [field(1, name), field(2, [field(1, [field(1, 1), field(2, dims)])])]

    node = [field(1, "x"), field(2, "y"), field(3, "relu"), field(4, "Relu")]
    graph = [field(1, node), field(2, "tiny"), field(11, port("x")), field(12, port("y"))]
    return field(1, 8) + field(7, graph) + field(8, [field(2, 13)])


def main():
    source, build = map(Path, sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="fovea-install-") as work:
        prefix, consumer = Path(work) / "prefix", Path(work) / "consumer"
        model = Path(work) / "relu.onnx"
        model.write_bytes(relu_model())
        run("cmake", "--install", build, "--prefix", prefix)
        run("cmake", "-S", source / "examples/consumer", "-B", consumer, f"-DCMAKE_PREFIX_PATH={prefix}",
            "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
        run("cmake", "--build", consumer)

        text = run(consumer / "consumer", model)
        assert "output" in text and "ran on" in text, text
        run(consumer / "consumer", Path(work) / "nowhere.onnx", expect=3)
        run(consumer / "consumer", "no-such-model", expect=2)

        version = run(prefix / "bin/fovea", "--version").split()[1]
        assert text.startswith(f"fovea {version},"), (version, text)

        (library,) = [f for f in prefix.rglob("libfovea.so.*.*.*") if not f.is_symlink()]
        names = visible_symbols(library)
        internal = [n for n in names if any(word in n for word in ("fovea::Graph", "fovea::Tensor", "fovea::Session"))]
        assert any(n.startswith("fovea::Model::load") for n in names), "Model::load is not exported"
        assert not internal, f"internal names are exported: {internal[:5]}"
        headers = sorted(f.name for f in (prefix / "include/fovea").iterdir())
        assert len(headers) <= 6, headers
    print(f"installed, built and ran the consumer: {os.path.basename(library)}, {len(names)} names exported")


if __name__ == "__main__":
    main()
