#!/bin/bash
# Everything that a GPU is needed for, in one go, on a bare machine: builds the addon, tests its kernels, compares whole
# training runs with the processor's, then measures. Every stage runs whatever became of the ones before; the summary
# comes last. Nothing is downloaded.
#
#   bench/gpu/run.sh [RESULTS = bench/results/gpu] [PACK = .gpu]
#
# Wants: nvcc (CUDA 12 or 13) and g++, a GPU, Python 3 with torch (for the peer; cuBLASLt is found in its site-packages
# too), and what bench/gpu/pack.sh has made where there is no Node. STAGES (a pattern, say "build|kernel") runs only
# some; SECONDS_FOR_BENCH bounds the measurements (300), SECONDS_FOR_SANITIZERS each of compute-sanitizer's three (120).
set -u
cd "$(dirname "$0")/../.."
results=${1:-bench/results/gpu}
pack=${2:-.gpu}
mkdir -p "$results"
results=$(cd "$results" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! command -v node >/dev/null; then
  tar -C "$work" -xJf "$pack/node.tar.xz"
  export PATH="$work:$PATH"
fi
if [ ! -d dist ] || [ ! -d node_modules ]; then tar -xJf "$pack/built.tar.xz"; fi
data=$work/data
if [ -f "$pack/data.tar" ]; then
  mkdir -p "$data" && tar -C "$data" --strip-components=1 -xf "$pack/data.tar"
else
  node -e "import('./dist/src/demo/drawn-dataset.js').then((m) =>
    m.drawDataset('$data', { seed: 1, trainPerClass: 200, testPerClass: 20 }))"
fi
VITRAIL_BENCH_PYTHON=${VITRAIL_BENCH_PYTHON:-$(command -v python3)}
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
VITRAIL_CUDA_ARCHITECTURES=${VITRAIL_CUDA_ARCHITECTURES:-$capability}
export VITRAIL_BENCH_PYTHON VITRAIL_CUDA_ARCHITECTURES data work results
cuda=${VITRAIL_CUDA:-$PWD/native/build/vitrail-cuda.node}

summary=$results/summary.txt
: >"$summary"

# stage NAME SECONDS COMMAND...: its output goes to NAME.log, one line to the summary.
stage() {
  local name=$1 limit=$2 start=$SECONDS status=ok
  shift 2
  [[ $name =~ ${STAGES:-.} ]] || return 0
  echo "== $name"
  timeout "$limit" "$@" >"$results/$name.log" 2>&1 || status="FAILED ($?)"
  echo "$status  $name  $((SECONDS - start)) s" | tee -a "$summary"
  tail -n 4 "$results/$name.log"
}

# train NAME FLAGS...: 200 steps of ViT-Ti/4, the same for all but the flags.
train() {
  local name=$1
  shift
  node dist/src/program/cli.js train --data "$data" --out "$work/$name" --json --backend native --image-size 32 \
    --model vit-ti/4 --batch 64 --micro-batch 32 --steps "${STEPS:-200}" --warmup-steps 20 --lr 0.0005 --dropout 0.1 \
    --seed 3 --workers 1 "$@" >"$results/train-$name.json" &&
    cp "$work/$name/metrics.jsonl" "$results/train-$name.jsonl"
}
digest() { grep -o '"weightDigest": "[0-9a-f]*"' "$results/train-$1.json"; }
same() { [ -n "$(digest "$1")" ] && [ "$(digest "$1")" = "$(digest "$2")" ] && echo "same weights: $(digest "$1")"; }
export -f train digest same

{
  nvidia-smi
  nvcc --version
  g++ --version
  node --version
  "$VITRAIL_BENCH_PYTHON" -c 'import torch; print("torch", torch.__version__)'
} >"$results/machine.log" 2>&1
stage build-cuda 300 node native/build-cuda.mjs
stage build-processor 300 node native/build.mjs
stage devices 60 node dist/src/program/cli.js devices
stage kernel-tests 400 env VITRAIL_NATIVE="$cuda" node --test --test-concurrency=1 dist/test/kernels/*.test.js
stage model-tests 400 env VITRAIL_NATIVE="$cuda" node --test --test-concurrency=1 dist/test/nn/*.test.js
stage end-to-end 300 env VITRAIL_CUDA="$cuda" node --test dist/test/end-to-end/gpu-training.test.js

for precision in fp32 bf16; do
  stage "train-gpu-$precision" 300 bash -c "train gpu-$precision --precision $precision"
  stage "train-processor-$precision" 600 bash -c "train processor-$precision --precision $precision --devices cpu"
  stage "curve-$precision" 30 node dist/bench/gpu/loss-curves.js "$results/train-gpu-$precision.jsonl" \
    "$results/train-processor-$precision.jsonl" "$precision"
done
stage train-again 300 bash -c 'train again --precision bf16'
stage same-bits 10 bash -c 'same gpu-bf16 again'
stage train-two-workers 300 bash -c 'train two --precision bf16 --workers 2'
stage same-bits-two-workers 10 bash -c 'same gpu-bf16 two'

bench_ends=$((SECONDS + ${SECONDS_FOR_BENCH:-300}))

# step NAME SETTING BATCH FLAGS...: training steps of ours and torch's in turns.
step() {
  local name=$1 setting=$2 batch=$3
  shift 3
  if [ $SECONDS -ge $bench_ends ]; then
    echo "no time left  step-$name" | tee -a "$summary"
    return
  fi
  stage "step-$name" 200 node dist/bench/torch-step.js --device cuda:0 --precision bf16 --settings "$setting" \
    --batch "$batch" --rounds 5 "$@"
}
products=$results/products-b16.json
stage tune-b16 200 node dist/src/program/cli.js tune --model vit-b/16 --micro-batch 256 --dropout 0.1 --out "$products"
step b16-one b16 256 --accumulate 1
step b16 b16 256 --accumulate 16 --product-choices "$products"
step b16-compiled b16 256 --accumulate 16 --product-choices "$products" --compile
step s16 s16 256 --accumulate 16
step l16 l16 128 --accumulate 8

# What no emulator shows: foreign memory, races within a block, barriers that not all threads reach.
checked=$(printf 'dist/test/kernels/%s.test.js ' attention-bf16 attention norm loss gemm exact-reduction)
for tool in memcheck racecheck synccheck; do
  stage "sanitizer-$tool" "${SECONDS_FOR_SANITIZERS:-120}" env VITRAIL_NATIVE="$cuda" compute-sanitizer --tool "$tool" \
    --target-processes all --error-exitcode 9 node --test --test-concurrency=1 $checked
done

echo
cat "$summary"
! grep -q FAILED "$summary"
