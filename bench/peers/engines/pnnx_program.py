"""pnnx, ncnn's converter: its program alone, which needs no PyTorch."""

import importlib.util
import shutil
import subprocess
from pathlib import Path


def convert(onnx_file, shape, folder):
    """Leaves net.param and net.bin of an fp32 ncnn network in the folder."""
    spec = importlib.util.find_spec("pnnx")
    if spec is None:
        raise RuntimeError("the package pnnx, which converts networks for ncnn, is not installed")
    program = Path(spec.submodule_search_locations[0]) / "pnnx"
    shutil.copyfile(onnx_file, folder / "net.onnx")
    command = [str(program), "net.onnx", f"inputshape={shape}".replace(" ", ""), "fp16=0"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    parts = {"param": folder / "net.ncnn.param", "bin": folder / "net.ncnn.bin"}
    if done.returncode != 0 or not all(p.is_file() for p in parts.values()):
        raise RuntimeError(f"pnnx cannot convert the network: {(done.stderr.strip().splitlines() or ['it fails without a word'])[-1]}")
    for name, part in parts.items():
        part.rename(folder / f"net.{name}")
    for rest in folder.iterdir():
        if rest.name not in ("net.param", "net.bin"):
            rest.unlink()
