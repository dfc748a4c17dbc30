#!/usr/bin/env bash
# Makes models of timm, Hugging Face and torchvision of published sizes in a fresh virtual environment, and prints how
# far our logits are from theirs: the table of docs/interop.md. Needs Python 3.10 or newer, PyPI and about 6 GB of disk.
#   bench/interop/run.sh            Ti and S sizes
#   bench/interop/run.sh --small    the models of test/fixtures/interop
set -euo pipefail
cd "$(dirname "$0")/../.."
size=--real
[ "${1:-}" = --small ] && size=
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch torchvision timm transformers safetensors
"$folder/venv/bin/python" bench/interop/make_models.py "$folder/models" $size
npm run --silent build
node dist/bench/interop/table.js "$folder/models"
