#!/usr/bin/env bash
# What `make run` does after the build. Without arguments: classifies the photographs that ship with scikit-image and
# says what to try next. With arguments: runs the program with them. Downloads once, into build/demo and build/models.
set -euo pipefail
root="$(cd "$(dirname "$0")/../.." && pwd)"
program="$root/build/bin/fovea"
photos="$root/build/demo/photos"
photographs=(astronaut.png chelsea.png coffee.png rocket.jpg)

if [[ ! -x "$program" ]]; then
  echo "demo: $program is missing; 'make build' makes it" >&2
  exit 1
fi

have_photographs() {
  local name
  for name in "${photographs[@]}"; do [[ -s "$photos/$name" ]] || return 1; done
}

# The photographs lie in the scikit-image wheel; nothing of it is installed.
fetch_photographs() {
  have_photographs && return
  local work
  mkdir -p "$root/build/demo"
  work="$(mktemp -d "$root/build/demo/.fetch.XXXXXX")"
  trap 'rm -rf "$work"' RETURN
  echo "demo: fetching the Python package scikit-image for its photographs -> build/demo/photos"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --dest "$work" scikit-image || return 1
  python3 - "$work" "$photos" "${photographs[@]}" << 'PYTHON'
import sys
import zipfile
from pathlib import Path

work, photos, names = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
(wheel,) = work.glob("*.whl")
photos.mkdir(parents=True, exist_ok=True)
with zipfile.ZipFile(wheel) as archive:
    members = archive.namelist()
    for name in names:
        found = [member for member in members if member.endswith("/data/" + name)]
        if len(found) != 1:
            sys.exit(f"demo: {wheel.name} holds no data/{name}")
        (photos / name).write_bytes(archive.read(found[0]))
PYTHON
}

explain_offline() {
  echo "demo: $1 could not be fetched: is the Python package index reachable (python3 -m pip download)?" >&2
}

if (($# > 0)); then
  [[ "$1" != --benchmarks* && "$1" != --scenarios* && "$1" != --test_mode* ]] || exec "$root/tools/mlperf/run.sh" run "$@"
  # Only these read a model, and the default one only where no other is named.
  case "$1" in
    classify | eval | bench | inspect | explain | convert)
      if [[ " $* " != *" --model"* && " $* " != *" -m"* ]]; then
        # Not the end: the program says what it misses.
        "$root/tools/fetch_efficientnet_lite0.sh" || explain_offline "the default model"
      fi ;;
  esac
  exec "$program" "$@"
fi

cd "$root"  # for short names below
fetch_photographs || { explain_offline "the photographs"; exit 1; }
"$root/tools/fetch_efficientnet_lite0.sh" || { explain_offline "the model EfficientNet-Lite0"; exit 1; }

echo
build/bin/fovea classify --model efficientnet-lite0 --top 5 "${photographs[@]/#/build/demo/photos/}"
cat << 'NEXT'

Next, for example:
  build/bin/fovea classify your-photo.jpg       name what is on your own photograph (any number, or a folder)
  build/bin/fovea bench --threads 1             latency and throughput, with the machine's own peak beside them
  build/bin/fovea explain                       which algorithm ran each layer, and why the others lost
  build/bin/fovea inspect                       layers, shapes, multiply-accumulates and parameters
  build/bin/fovea models                        the other models known by name
make run RUN_ARGS="classify your-photo.jpg" builds first and then runs that command line.
NEXT
