// Gemms of tiles in shared memory in fp32 arithmetic, for attention of any width and storage.
#pragma once
#include "head.h"

namespace vitrail::cuda::attention {

// Queries of a tile, and also keys.
constexpr int kTile = 64;
// A block's threads are 16 x 16; each has 4 x 4 elements of a tile.
constexpr int kTileThreads = 256;
constexpr int kSide = 4;
// Elements of a head's width that are in shared memory at the same time.
constexpr int kDepth = 32;
// Floats from row to row of a tile that lies with its rows in the direction of the sum: 16-byte aligned.
constexpr int kStride = kTile + 4;

constexpr int kTransposedFloats = kTile * kStride;
// The size of `space` in the functions below.
template <int kColumns> constexpr int kSpaceFloats =
    2 * kDepth * kStride > kTile* kColumns ? 2 * kDepth * kStride : kTile * kColumns;

// The first row and column of a thread's elements. The 16 threads of a row of elements are half a warp.
struct Place {
  int row, column;
};
__device__ __forceinline__ Place placeOfThread() {
  const int thread = static_cast<int>(threadIdx.x);
  return {thread / 16 * kSide, thread % 16 * kSide};
}

__device__ __forceinline__ float4 floats4(const float* from) { return *reinterpret_cast<const float4*>(from); }
__device__ __forceinline__ void store4(float* to, float a, float b, float c, float d) {
  *reinterpret_cast<float4*>(to) = make_float4(a, b, c, d);
}

// Elements [depth, depth + kDepth) of 64 rows, to [kDepth, kStride].
__device__ __forceinline__ void stageTransposed(const HeadRows& from, int firstRow, int depth, float* to) {
  const int column = static_cast<int>(threadIdx.x) % kDepth, row = static_cast<int>(threadIdx.x) / kDepth;
#pragma unroll
  for (int i = row; i < kTile; i += kTileThreads / kDepth) {
    to[column * kStride + i] = from.at(firstRow + i, depth + column);
  }
}

// Columns [firstColumn, firstColumn + kColumns) of 64 rows, to [64, kColumns].
template <int kColumns>
__device__ __forceinline__ void stageColumns(const HeadRows& from, int firstRow, int firstColumn, float* to) {
  const int column = static_cast<int>(threadIdx.x) % kColumns, row = static_cast<int>(threadIdx.x) / kColumns;
#pragma unroll 8
  for (int i = row; i < kTile; i += kTileThreads / kColumns) {
    to[i * kColumns + column] = from.at(firstRow + i, firstColumn + column);
  }
}

// dots[i][j]: row (firstA + place.row + i) of a times row (firstB + place.column + j) of b. Begins with a barrier.
__device__ __forceinline__ void dotProducts(const HeadRows& a, int firstA, const HeadRows& b, int firstB, Place place,
                                            float* space, float (&dots)[kSide][kSide]) {
  for (auto& row : dots) {
    for (float& dot : row) dot = 0.0f;
  }
  float *const ofA = space, *const ofB = space + kDepth * kStride;
  for (int depth = 0; depth < a.width; depth += kDepth) {
    __syncthreads();
    stageTransposed(a, firstA, depth, ofA);
    stageTransposed(b, firstB, depth, ofB);
    __syncthreads();
    const int steps = min(kDepth, a.width - depth);
#pragma unroll 4
    for (int k = 0; k < steps; k++) {
      const float4 x = floats4(ofA + k * kStride + place.row), y = floats4(ofB + k * kStride + place.column);
      const float rows[kSide] = {x.x, x.y, x.z, x.w}, columns[kSide] = {y.x, y.y, y.z, y.w};
#pragma unroll
      for (int i = 0; i < kSide; i++) {
#pragma unroll
        for (int j = 0; j < kSide; j++) dots[i][j] += rows[i] * columns[j];
      }
    }
  }
}

// A thread's part of [64, kColumns]: columns place.column + 64 c + j are [4 c + j].
template <int kColumns> using Sums = float[kSide][kColumns / 16];

template <int kColumns> __device__ __forceinline__ void clear(Sums<kColumns>& sums) {
  for (auto& row : sums) {
    for (float& sum : row) sum = 0.0f;
  }
}

// sums += a^T b: a [64, kStride], b [64, kColumns].
template <int kColumns>
__device__ __forceinline__ void addProduct(const float* a, const float* b, Place place, Sums<kColumns>& sums) {
#pragma unroll 4
  for (int k = 0; k < kTile; k++) {
    const float4 x = floats4(a + k * kStride + place.row);
    const float rows[kSide] = {x.x, x.y, x.z, x.w};
#pragma unroll
    for (int c = 0; c < kColumns / kTile; c++) {
      const float4 y = floats4(b + k * kColumns + c * kTile + place.column);
      const float columns[kSide] = {y.x, y.y, y.z, y.w};
#pragma unroll
      for (int i = 0; i < kSide; i++) {
#pragma unroll
        for (int j = 0; j < kSide; j++) sums[i][c * kSide + j] += rows[i] * columns[j];
      }
    }
  }
}

// A thread's elements of a tile, to [64 columns, kStride].
__device__ __forceinline__ void storeTransposed(const float (&tile)[kSide][kSide], Place place, float* to) {
#pragma unroll
  for (int j = 0; j < kSide; j++) {
    store4(to + (place.column + j) * kStride + place.row, tile[0][j], tile[1][j], tile[2][j], tile[3][j]);
  }
}

// Rows [firstRow, ...) and columns [firstColumn, ...) of `to` = factor x sums.
template <int kColumns> __device__ __forceinline__ void writeSums(const HeadRows& to, int firstRow, int firstColumn,
                                                                  Place place, const Sums<kColumns>& sums,
                                                                  const float (&factors)[kSide]) {
#pragma unroll
  for (int i = 0; i < kSide; i++) {
#pragma unroll
    for (int c = 0; c < kColumns / 16; c++) {
      const int column = firstColumn + c / kSide * kTile + place.column + c % kSide;
      to.set(firstRow + place.row + i, column, sums[i][c] * factors[i]);
    }
  }
}

__device__ __forceinline__ float roundedIf(bool round, float value) { return round ? widen(narrow(value)) : value; }

}  // namespace vitrail::cuda::attention
