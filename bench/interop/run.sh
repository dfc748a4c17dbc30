#!/usr/bin/env bash
# Shows that models go in and out, with the real libraries, and prints the tables of docs/interop.md:
#   1. models of timm, Hugging Face, torchvision and vit_jax with random weights, made and saved by the libraries' own
#      code in a fresh virtual environment, and how far our logits are from theirs;
#   2. each of them fine-tuned here for two steps, exported to every format, and opened by the libraries again;
#   3. the folders for Hugging Face opened by transformers.js.
# Needs Python 3.11 or newer, npm, PyPI and about 8 GB of disk.
#   bench/interop/run.sh            the small models of test/fixtures/interop
#   bench/interop/run.sh --real     published sizes at 224 pixels; takes an hour on two cores
set -euo pipefail
cd "$(dirname "$0")/../.."
size=${1:-}
transformers_js=4.3.2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-cache-dir -r bench/interop/requirements.txt
python=$folder/venv/bin/python
# Its runtime would download libraries for GPUs; those for processors are in the package.
npm install --silent --prefix "$folder/js" --ignore-scripts "@huggingface/transformers@$transformers_js"
npm run --silent build

"$python" bench/interop/make_models.py "$folder/models" $size
"$python" bench/interop/make_images.py "$folder/data"

printf '\n## In\n\n'
node dist/bench/interop/table.js ${size:+--native} "$folder/models" || failed=1

# Beside the models that were loaded, what only a run of our own has: the layer before the head, and GELU by tanh.
train() {
  node dist/src/cli.js train --data "$folder/data" --steps 2 --batch 8 --micro-batch 4 --workers 1 --log-level error \
    --out "$folder/runs/$1" "${@:2}" >"$folder/train.log" 2>&1 || {
    cat "$folder/train.log"
    return 1
  }
}
for model in "$folder"/models/*/; do
  train "$(basename "$model")" --init-from "$model" || failed=1
done
train own-paper --model vit-micro/8 --image-size 32 || failed=1
train own-pre-logits --model vit-micro/8 --image-size 32 --gelu erf --pre-logits 24 --crop-fraction 0.9 || failed=1
train own-tutorial --model vit-micro/8 --image-size 32 --gelu erf --transform tutorial || failed=1

shopt -s nullglob
images=("$folder"/data/test/*/*)
printf '\n## Out\n\n'
"$python" bench/interop/check-exports.py "$folder"/runs/* --images "${images[@]}" --keep "$folder/kept" || failed=1

printf '\n## transformers.js\n\n'
node dist/bench/interop/transformers-js.js "$folder/js" "$folder/kept" "${images[@]}" || failed=1

printf '\n## Versions\n\n'
sed '/^#/d' bench/interop/requirements.txt
"$python" --version
node --version
exit "$failed"
