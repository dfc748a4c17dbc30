// Sums over a warp and over a block: all threads take part, all get the same bits, in an order that is always the same.
#pragma once
#include "launch.h"

namespace vitrail::cuda {

constexpr int kMostWarps = 32;

template <typename T> __device__ __forceinline__ T warpSum(T value) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += __shfl_xor_sync(0xffffffffu, value, mask);
  return value;
}

// Of a block of whole warps in x. `space` is the block's and holds a value of each warp.
template <typename T> __device__ __forceinline__ T blockSum(T value, T (&space)[kMostWarps]) {
  value = warpSum(value);
  const unsigned warps = blockDim.x / kWarp;
  if (warps == 1) return value;
  // Until all have read what an earlier sum left there.
  __syncthreads();
  if (threadIdx.x % kWarp == 0) space[threadIdx.x / kWarp] = value;
  __syncthreads();
  T sum = space[0];
  for (unsigned i = 1; i < warps; i++) sum += space[i];
  return sum;
}

}  // namespace vitrail::cuda
