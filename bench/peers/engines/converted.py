"""Where an engine keeps networks in its own format: a folder beside the ONNX file, whose name holds what it was made
of, so that a changed network, precision or engine is converted anew.
"""

import hashlib
import os
import shutil
from pathlib import Path


def folder_of(model, engine, version, *settings):
    digest = hashlib.sha256(Path(model).read_bytes())
    digest.update(repr((engine, version, settings)).encode())
    return Path(model).with_name(f"{Path(model).stem}.{engine}-{digest.hexdigest()[:16]}")


def make(folder, convert):
    """Calls convert(part) for a new folder unless this one is there; a conversion that fails leaves nothing."""
    if folder.is_dir():
        return
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        convert(part)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    os.replace(part, folder)
