#!/usr/bin/env bash
# Builds Fovea's end of the protocol, installs the other engines into build/peers-venv, and measures. Arguments go to
# peers.py. Networks come from $FOVEA_MODELS or the test data; one that is found nowhere runs on seeded random weights.
set -euo pipefail
cd "$(dirname "$0")/../.."
models="${FOVEA_TEST_DATA:-$(cd .. && pwd)/shared/data}/models"
if [[ -z "${FOVEA_MODELS:-}" && -d "$models" ]]; then
  export FOVEA_MODELS="$models"
fi
if [[ " $* " != *" --models "* ]]; then
  tools/fetch_efficientnet_lite0.sh
fi
cmake --build build --target fovea_peer > /dev/null
tools/setup/make_venv.sh build/peers-venv bench/peers/requirements.txt
exec python3 bench/peers/peers.py "$@"
