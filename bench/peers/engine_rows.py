"""The engines: one row each. A new one is a file in engines/ and a row here."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass
class EngineRow:
    script: str  # in engines/
    environment: str  # of requirements-<this>.txt; folder of that name in the folder of Python environments


ROWS = {
    "onnxruntime": EngineRow("onnxruntime_engine.py", "base"),
    "openvino": EngineRow("openvino_engine.py", "base"),
    "ncnn": EngineRow("ncnn_engine.py", "ncnn"),
    "litert": EngineRow("litert_engine.py", "litert"),
    "torch": EngineRow("torch_engine.py", "torch"),
}
DEFAULT = ["fovea", "onnxruntime", "openvino"]


def commands(fovea_peer, environments):
    """What starts each engine, by name."""
    result = {"fovea": [fovea_peer]}
    for name, row in ROWS.items():
        result[name] = [str(Path(environments) / row.environment / "bin" / "python"), str(HERE / "engines" / row.script)]
    return result


def missing(name, command):
    """Why the engine cannot be started, or an empty text."""
    if name in ROWS and not Path(command[0]).exists():
        return f"not installed; bench/peers/run.sh --with {ROWS[name].environment} installs it"
    return ""
