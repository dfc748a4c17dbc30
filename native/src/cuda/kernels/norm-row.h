// A row of layer normalisation in the registers of a warp.
//
// It must be made of whole 16-byte groups: lane l has the groups l, l + 32, ... A span is one group of each lane.
#pragma once
#include "../packed-group.h"
#include "../run.h"
#include "../sums.h"

namespace vitrail::cuda {

namespace {

// Warps of a block. Each has one row at a time.
constexpr int kNormWarps = 4;
constexpr unsigned kNormThreads = kNormWarps * kWarp;
// Columns of a span.
constexpr size_t kSpan = kWarp * kGroup;

// Calls body(k, column) for each span of a row, with the column where the lane's group begins. The last span
// may end before that column.
template <int kSpans, typename Body> __device__ __forceinline__ void eachSpan(size_t width, const Body& body) {
  const size_t first = threadIdx.x % kWarp * kGroup;
  const bool hasLast = first + (kSpans - 1) * kSpan < width;
#pragma unroll
  for (int k = 0; k < kSpans; k++) {
    if (k < kSpans - 1 || hasLast) body(k, first + k * kSpan);
  }
}

__device__ __forceinline__ void loadColumns(const float* from, size_t at, float (&v)[kGroup]) {
  Elements<false>{const_cast<float*>(from)}.loadGroup(at, at + kGroup, v);
}

}  // namespace

}  // namespace vitrail::cuda
