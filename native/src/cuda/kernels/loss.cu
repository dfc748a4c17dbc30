// Softmax cross entropy. A block has one sample and reads its logits three times (largest, sum, gradient),
// from the cache except for the first time. Sums are in double precision, as on a processor, so that a very
// small loss keeps its digits. There are few logits, so one form for all storages is enough.
#include "../../kernels/loss.h"

#include "../run.h"
#include "../sums.h"

namespace vitrail::cuda {

namespace {

constexpr size_t kFewClasses = 256;
constexpr unsigned kThreads = 256;
// There may be one sample more than a grid can have blocks.
constexpr size_t kMostBlocks = size_t{1} << 20;

// The largest logit so far and the first class that has it.
struct Best {
  float value;
  uint32_t index;

  // All comparisons with NaN are false, so NaN never becomes the best.
  __device__ __forceinline__ void meet(float v, uint32_t i) {
    if (v > value || (v == value && i < index)) value = v, index = i;
  }
};

constexpr uint32_t kNone = 0xffffffff;

__device__ __forceinline__ Best warpBest(Best best) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    const float value = __shfl_xor_sync(0xffffffffu, best.value, mask);
    const uint32_t index = __shfl_xor_sync(0xffffffffu, best.index, mask);
    best.meet(value, index);
  }
  return best;
}

// All threads get the result.
__device__ __forceinline__ Best blockBest(Best best, Best (&space)[kMostWarps]) {
  best = warpBest(best);
  const unsigned warps = blockDim.x / kWarp;
  if (warps == 1) return best;
  __syncthreads();
  if (threadIdx.x % kWarp == 0) space[threadIdx.x / kWarp] = best;
  __syncthreads();
  for (unsigned i = 0; i < warps; i++) best.meet(space[i].value, space[i].index);
  return best;
}

// dLogits.data and predictions may be null.
__global__ void crossEntropyKernel(LossShape shape, Run logits, const int32_t* labels, float* losses, Run dLogits,
                                   int32_t* predictions) {
  __shared__ Best bests[kMostWarps];
  __shared__ double warpSums[kMostWarps];
  const float nan = __uint_as_float(0x7fc00000);
  const double others = shape.smoothing / static_cast<double>(shape.classes);
  for (size_t row = blockIdx.x; row < shape.rows; row += gridDim.x) {
    const size_t start = row * shape.classes;
    Best best = {__uint_as_float(0xff800000), kNone};
    for (size_t i = threadIdx.x; i < shape.classes; i += blockDim.x) {
      best.meet(logits.at(start + i), static_cast<uint32_t>(i));
    }
    best = blockBest(best, bests);
    const float largest = best.value;

    double sum = 0, distances = 0;
    for (size_t i = threadIdx.x; i < shape.classes; i += blockDim.x) {
      const float z = logits.at(start + i);
      sum += static_cast<double>(expf(z - largest));
      distances += static_cast<double>(largest - z);
    }
    sum = blockSum(sum, warpSums);
    if (shape.smoothing > 0) distances = blockSum(distances, warpSums);

    const int32_t label = labels[row];
    const bool hasLabel = label >= 0 && static_cast<size_t>(label) < shape.classes;
    if (threadIdx.x == 0) {
      // log(sum) + the mean of (largest - z) under the targets. A term of weight 0 is left out, because 0 x
      // infinity is NaN.
      double loss = log(sum);
      if (hasLabel && shape.smoothing < 1) {
        loss += (1 - shape.smoothing) * (static_cast<double>(largest) - static_cast<double>(logits.at(start + label)));
      }
      if (shape.smoothing > 0) loss += others * distances;
      losses[row] = hasLabel ? static_cast<float>(loss) : nan;
      if (predictions) predictions[row] = best.index == kNone ? 0 : static_cast<int32_t>(best.index);
    }
    if (!dLogits.data) continue;
    // Waits, because the gradient may overwrite the logits.
    __syncthreads();
    const float inverse = static_cast<float>(1 / sum);
    for (size_t i = threadIdx.x; i < shape.classes; i += blockDim.x) {
      const float power = expf(logits.at(start + i) - largest);
      float gradient = power * inverse - static_cast<float>(others);
      if (static_cast<int64_t>(i) == label) {
        gradient = static_cast<float>(static_cast<double>(power) / sum - (1 - shape.smoothing) - others);
      }
      dLogits.set(start + i, hasLabel ? gradient : nan);
    }
  }
}

void crossEntropy(const Context& context, const LossShape& shape, Array logits, const int32_t* labels, float* losses,
                  Array dLogits, int32_t* predictions) {
  const unsigned blocks = static_cast<unsigned>(shape.rows < kMostBlocks ? shape.rows : kMostBlocks);
  const Grid grid = {blocks, shape.classes <= kFewClasses ? unsigned{kWarp} : kThreads};
  launch(context, crossEntropyKernel, grid, shape, runOf(logits), labels, losses, runOf(dLogits), predictions);
}

}  // namespace

extern const LossKernels lossKernels;
const LossKernels lossKernels = {crossEntropy};

}  // namespace vitrail::cuda
