#!/usr/bin/env bash
# run.sh <subcommand> [options]: `fovea mlperf <subcommand> …` from the project's root, with LoadGen where it is needed.
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in
  run | audit | loadgen) tools/setup/make_venv.sh build/venv-loadgen tools/setup/requirements-loadgen.txt ;;
esac
[[ "$*" != *efficientnet-lite0* ]] || tools/fetch_efficientnet_lite0.sh
exec build/bin/fovea mlperf "$@"
