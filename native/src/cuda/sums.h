// Sums over a warp and over a block. All threads take part and get the same bits, because the order is always
// the same.
#pragma once
#include "launch.h"

namespace vitrail::cuda {

constexpr int kMostWarps = 32;

template <typename T> __device__ __forceinline__ T warpSum(T value) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += __shfl_xor_sync(0xffffffffu, value, mask);
  return value;
}

// Sums over a block, which has whole warps in x. `space` belongs to the block and holds one value of each
// warp.
template <typename T> __device__ __forceinline__ T blockSum(T value, T (&space)[kMostWarps]) {
  value = warpSum(value);
  const unsigned warps = blockDim.x / kWarp;
  if (warps == 1) return value;
  // Waits until all have read the result of an earlier sum.
  __syncthreads();
  if (threadIdx.x % kWarp == 0) space[threadIdx.x / kWarp] = value;
  __syncthreads();
  T sum = space[0];
  for (unsigned i = 1; i < warps; i++) sum += space[i];
  return sum;
}

}  // namespace vitrail::cuda
