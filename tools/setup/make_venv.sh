#!/usr/bin/env bash
# make_venv.sh <folder> <requirements file>: a Python virtual environment with exactly these packages; does nothing where
# it is already there for the same requirements.
set -euo pipefail
venv="$1" requirements="$2"
stamp="$venv/.requirements"
if [[ -f "$stamp" ]] && cmp -s "$stamp" "$requirements"; then
  exit 0
fi
echo "setup: Python environment $venv: $(grep -v '^#' "$requirements" | tr '\n' ' ')"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
cp "$requirements" "$stamp"
