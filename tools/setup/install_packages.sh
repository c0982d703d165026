#!/usr/bin/env bash
# Installs the Debian packages of packages.txt that are missing, saying which. Does nothing where all are there.
set -euo pipefail
list="$(dirname "$0")/packages.txt"
missing=()
while read -r package; do
  [[ -z "$package" || "$package" == \#* ]] && continue
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done < "$list"
if ((${#missing[@]} == 0)); then
  echo "setup: all Debian packages are installed"
  exit 0
fi
echo "setup: installing ${#missing[@]} Debian packages: ${missing[*]}"
sudo=()
if ((EUID != 0)); then
  command -v sudo > /dev/null || { echo "setup: needs root to install packages; run: apt-get install ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
echo "setup: Debian packages installed"
