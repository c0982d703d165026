#!/usr/bin/env python3
"""Checks that ONNX Runtime and the ONNX checker accept the files that export/onnx writes, and that they compute the same.

usage: onnxruntime_accepts.py PROGRAM PYTHON
PROGRAM is onnx_round_trip, which writes the files. PYTHON is an interpreter with onnx and onnxruntime; without it the
check is skipped with exit code 77, saying so.
"""

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FOVEA_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def in_other_interpreter(python):
    """Runs this script again with `python`, which has the packages."""
    if not Path(python).exists():
        skip(f"{python} does not exist; `make test` makes it (tools/setup/make_venv.sh)")
    os.execv(python, [python, __file__, *sys.argv[1:]])


def source_of(name):
    for path in (DATA / "onnx-node-tests" / name / "model.onnx", DATA / "models" / f"{name}.onnx",
                 DATA / "models" / f"{name}.onnx.gz"):
        if path.exists():
            return path
    raise FileNotFoundError(name)


def read(path):
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def inputs_of(name, session):
    """The inputs of a node test; for a whole model seeded noise, batch 1."""
    import numpy
    import onnx

    folder = DATA / "onnx-node-tests" / name / "test_data_set_0"
    if not folder.exists():
        noise = numpy.random.default_rng(1)
        return {i.name: noise.standard_normal([d if isinstance(d, int) else 1 for d in i.shape]).astype("f4")
                for i in session.get_inputs()}
    values = {}
    for index, port in enumerate(session.get_inputs()):
        tensor = onnx.TensorProto()
        tensor.ParseFromString((folder / f"input_{index}.pb").read_bytes())
        values[port.name] = onnx.numpy_helper.to_array(tensor)
    return values


def open_session(model):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def check(name, written):
    """None if all is well, "not run: why" if ONNX Runtime refuses the original as well, else the error."""
    import numpy
    import onnx

    model = onnx.load_from_string(written)
    onnx.checker.check_model(model, full_check=True)
    try:
        before = open_session(read(source_of(name)))
        inputs = inputs_of(name, before)
        expected = before.run(None, inputs)
    except Exception as error:  # pylint: disable=broad-except
        return f"not run: ONNX Runtime refuses the original: {str(error).splitlines()[0][:120]}"
    after = open_session(written)
    found = after.run(None, inputs)
    if [o.name for o in before.get_outputs()] != [o.name for o in after.get_outputs()]:
        return "output names differ"
    for want, got in zip(expected, found):
        if want.dtype != got.dtype or want.shape != got.shape:
            return f"expected {want.dtype}{want.shape}, found {got.dtype}{got.shape}"
        if not numpy.allclose(want, got, rtol=1e-5, atol=1e-6, equal_nan=True):
            return f"outputs differ by up to {numpy.max(numpy.abs(want.astype('f8') - got.astype('f8')))}"
    return None


def main():
    program, python = sys.argv[1:3]
    if os.path.abspath(sys.executable) != os.path.abspath(python):
        in_other_interpreter(python)
    try:
        import onnx  # noqa: F401  pylint: disable=unused-import
        import onnxruntime
    except ImportError as error:
        skip(f"{python}: {error}")
    if not (DATA / "models").is_dir():
        skip(f"no test data at {DATA} (set FOVEA_TEST_DATA)")
    failed, not_run, passed = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "--write", folder, "--gtest_brief=1"], check=True, stdout=subprocess.DEVNULL)
        for path in sorted(Path(folder).glob("*.onnx")):
            try:
                problem = check(path.stem, path.read_bytes())
            except Exception as error:  # pylint: disable=broad-except
                problem = str(error).splitlines()[0]
            if problem is None:
                passed += 1
            elif problem.startswith("not run"):
                not_run.append((path.stem, problem))
            else:
                failed.append((path.stem, problem))
    for name, problem in not_run + failed:
        print(f"{name}: {problem}")
    print(f"ONNX Runtime {onnxruntime.__version__}: {passed} written files accepted with the same outputs, "
          f"{len(not_run)} not run, {len(failed)} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
