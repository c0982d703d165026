#!/usr/bin/env bash
# Builds Fovea's end of the protocol, installs the other engines into build/peers-venv, and measures. Arguments go to
# peers.py, but for --with ncnn,litert,torch, which installs these engines too and adds them to those measured.
# Networks come from $FOVEA_MODELS or the test data; one that is found nowhere runs on seeded random weights.
set -euo pipefail
cd "$(dirname "$0")/../.."
models="${FOVEA_TEST_DATA:-$(cd .. && pwd)/shared/data}/models"
if [[ -z "${FOVEA_MODELS:-}" && -d "$models" ]]; then
  export FOVEA_MODELS="$models"
fi

arguments=()
more=()
while (($#)); do
  case "$1" in
    --with) IFS=, read -ra more <<< "${2:?--with needs names, such as ncnn,litert,torch}" && shift 2 ;;
    --with=*) IFS=, read -ra more <<< "${1#--with=}" && shift ;;
    *) arguments+=("$1") && shift ;;
  esac
done

install() {
  local name="$1" requirements="$2" alone
  tools/setup/make_venv.sh "build/peers-venv/$name" "$requirements"
  alone="${requirements%.txt}-alone.txt"
  if [[ -f "$alone" ]] && ! cmp -s "$alone" "build/peers-venv/$name/.requirements-alone"; then
    "build/peers-venv/$name/bin/pip" install --quiet --disable-pip-version-check --no-deps --upgrade --requirement "$alone"
    cp "$alone" "build/peers-venv/$name/.requirements-alone"
  fi
}

engines="fovea,onnxruntime,openvino"
for name in "${more[@]}"; do
  if [[ ! -f "bench/peers/requirements-$name.txt" ]]; then
    echo "peers: --with $name: no such engine; known: ncnn, litert, torch" >&2
    exit 2
  fi
  engines+=",$name"
done
install base bench/peers/requirements.txt
for name in "${more[@]}"; do
  install "$name" "bench/peers/requirements-$name.txt"
done
if [[ " ${arguments[*]-} " != *" --models"* || "${arguments[*]-}" == *lite0* ]]; then
  tools/fetch_efficientnet_lite0.sh
fi
cmake --build build --target fovea_peer > /dev/null
exec python3 bench/peers/peers.py --engines "$engines" "${arguments[@]}"
