// Attention of any width and storage. A block has 64 queries (or keys) of a head and as many columns of the
// result as it can sum in registers. It computes the scores of one tile after the other; for wider heads,
// every block of columns computes them again. The backward pass has two kernels, one that sums over keys and
// one that sums over queries. These need 7 gemms in place of 5, but no sum crosses blocks, so the order of
// every sum is that of the tiles.
#pragma once
#include "../sums.h"
#include "general-tile.h"

namespace vitrail::cuda::attention {

struct GeneralTask {
  AttentionShape shape;
  float scale;
  Array qkv, out;
  // Forward: written. Backward: read.
  float* logSumExp;
  // Backward only. delta: the sum of dOut x out of every query, as logSumExp.
  Array dOut = {}, dQkv = {};
  float* delta = nullptr;
};

// The part of the work of a block.
struct GeneralBlock {
  unsigned head;
  int firstRow, firstColumn;
  Place place;
};
__device__ __forceinline__ GeneralBlock generalBlock(int columns) {
  return {blockIdx.x, static_cast<int>(blockIdx.y) * kTile, static_cast<int>(blockIdx.z) * columns, placeOfThread()};
}

// Reduces over the 16 threads of a row.
template <typename Operation> __device__ __forceinline__ float acrossRow(float value, Operation operation) {
#pragma unroll
  for (int mask = 1; mask < 16; mask *= 2) value = operation(value, __shfl_xor_sync(0xffffffff, value, mask));
  return value;
}

template <int kColumns> __global__ __launch_bounds__(kTileThreads) void generalForward(GeneralTask t) {
  const GeneralBlock block = generalBlock(kColumns);
  const Place place = block.place;
  const HeadRows queries = packedRows(t.shape, t.qkv, block.head, 0), keys = packedRows(t.shape, t.qkv, block.head, 1);
  const HeadRows values = packedRows(t.shape, t.qkv, block.head, 2);
  float* space = sharedMemory<float>();
  float* weights = space + kSpaceFloats<kColumns>;
  Sums<kColumns> sums;
  clear<kColumns>(sums);
  // total is over this thread's keys only.
  float largest[kSide], total[kSide];
  for (int i = 0; i < kSide; i++) largest[i] = -INFINITY, total[i] = 0.0f;
  for (int firstKey = 0; firstKey < keys.rows; firstKey += kTile) {
    float scores[kSide][kSide];
    dotProducts(queries, block.firstRow, keys, firstKey, place, space, scores);
#pragma unroll
    for (int i = 0; i < kSide; i++) {
      // Ignores NaN; the total below does not.
      float best = largest[i];
#pragma unroll
      for (int j = 0; j < kSide; j++) {
        if (firstKey + place.column + j >= keys.rows) scores[i][j] = -INFINITY;
        best = fmaxf(best, scores[i][j]);
      }
      best = acrossRow(best, [](float a, float b) { return fmaxf(a, b); });
      // For rows whose scores are all -infinity so far, so that they count as 0 and not as NaN.
      const float base = best == -INFINITY ? 0.0f : best;
      const float keep = expf((largest[i] - base) * t.scale);
      largest[i] = best;
      total[i] *= keep;
#pragma unroll
      for (float& sum : sums[i]) sum *= keep;
#pragma unroll
      for (int j = 0; j < kSide; j++) {
        const float power = expf((scores[i][j] - base) * t.scale);
        total[i] += power;
        scores[i][j] = roundedIf(t.shape.bf16, power);
      }
    }
    storeTransposed(scores, place, weights);
    __syncthreads();
    stageColumns<kColumns>(values, firstKey, block.firstColumn, space);
    __syncthreads();
    addProduct<kColumns>(weights, space, place, sums);
  }
  float inverse[kSide];
  for (int i = 0; i < kSide; i++) {
    const float sum = acrossRow(total[i], [](float a, float b) { return a + b; });
    inverse[i] = 1.0f / sum;
    const int query = block.firstRow + place.row + i;
    if (block.firstColumn == 0 && place.column == 0 && query < queries.rows) {
      t.logSumExp[block.head * t.shape.tokens + static_cast<size_t>(query)] = largest[i] * t.scale + logf(sum);
    }
  }
  writeSums<kColumns>(plainRows(t.shape, t.out, block.head, false), block.firstRow, block.firstColumn, place, sums,
                      inverse);
}

// Each warp has one query.
static __global__ void generalDelta(GeneralTask t) {
  const size_t query = size_t{blockIdx.x} * (blockDim.x / kWarp) + threadIdx.x / kWarp;
  const auto head = static_cast<unsigned>(query / t.shape.tokens);
  if (query >= t.shape.images * t.shape.heads * t.shape.tokens) return;
  const HeadRows out = plainRows(t.shape, t.out, head, false), dOut = plainRows(t.shape, t.dOut, head, false);
  const int row = static_cast<int>(query % t.shape.tokens), lane = static_cast<int>(threadIdx.x) % kWarp;
  float sum = 0.0f;
  for (int column = lane; column < out.width; column += kWarp) sum += out.at(row, column) * dOut.at(row, column);
  sum = warpSum(sum);
  if (lane == 0) t.delta[query] = sum;
}

// P = e^(scale score - logSumExp) and dS = P (dP - delta). Both are rounded if gemms take bf16.
struct ScoreGradient {
  float p, ds;
};
__device__ __forceinline__ ScoreGradient scoreGradient(const GeneralTask& t, float score, float dP, float logSum,
                                                       float delta, bool inside) {
  // Padding may hold NaN.
  if (!inside) return {0.0f, 0.0f};
  const float p = expf(score * t.scale - logSum);
  return {roundedIf(t.shape.bf16, p), roundedIf(t.shape.bf16, p * (dP - delta))};
}

// dQ: rows of a tile are queries, its columns keys.
template <int kColumns> __global__ __launch_bounds__(kTileThreads) void generalQueryGradient(GeneralTask t) {
  const GeneralBlock block = generalBlock(kColumns);
  const Place place = block.place;
  const HeadRows queries = packedRows(t.shape, t.qkv, block.head, 0), keys = packedRows(t.shape, t.qkv, block.head, 1);
  const HeadRows values = packedRows(t.shape, t.qkv, block.head, 2);
  const HeadRows dOut = plainRows(t.shape, t.dOut, block.head, t.shape.bf16);
  float* space = sharedMemory<float>();
  float* gradients = space + kSpaceFloats<kColumns>;
  float logSum[kSide], delta[kSide], scales[kSide];
  for (int i = 0; i < kSide; i++) {
    const int query = block.firstRow + place.row + i;
    const size_t at = block.head * t.shape.tokens + static_cast<size_t>(query);
    logSum[i] = query < queries.rows ? t.logSumExp[at] : 0.0f;
    delta[i] = query < queries.rows ? t.delta[at] : 0.0f;
    scales[i] = t.scale;
  }
  Sums<kColumns> sums;
  clear<kColumns>(sums);
  for (int firstKey = 0; firstKey < keys.rows; firstKey += kTile) {
    float scores[kSide][kSide], dP[kSide][kSide];
    dotProducts(queries, block.firstRow, keys, firstKey, place, space, scores);
    dotProducts(dOut, block.firstRow, values, firstKey, place, space, dP);
#pragma unroll
    for (int i = 0; i < kSide; i++) {
#pragma unroll
      for (int j = 0; j < kSide; j++) {
        const bool inside = block.firstRow + place.row + i < queries.rows && firstKey + place.column + j < keys.rows;
        dP[i][j] = scoreGradient(t, scores[i][j], dP[i][j], logSum[i], delta[i], inside).ds;
      }
    }
    storeTransposed(dP, place, gradients);
    __syncthreads();
    stageColumns<kColumns>(keys, firstKey, block.firstColumn, space);
    __syncthreads();
    addProduct<kColumns>(gradients, space, place, sums);
  }
  writeSums<kColumns>(packedRows(t.shape, t.dQkv, block.head, 0), block.firstRow, block.firstColumn, place, sums,
                      scales);
}

// dK and dV: rows of a tile are keys, its columns queries.
template <int kColumns> __global__ __launch_bounds__(kTileThreads) void generalKeyGradient(GeneralTask t) {
  const GeneralBlock block = generalBlock(kColumns);
  const Place place = block.place;
  const HeadRows queries = packedRows(t.shape, t.qkv, block.head, 0), keys = packedRows(t.shape, t.qkv, block.head, 1);
  const HeadRows values = packedRows(t.shape, t.qkv, block.head, 2);
  const HeadRows dOut = plainRows(t.shape, t.dOut, block.head, t.shape.bf16);
  float* space = sharedMemory<float>();
  float *const weights = space + kSpaceFloats<kColumns>, *const gradients = weights + kTransposedFloats;
  Sums<kColumns> dKeys, dValues;
  clear<kColumns>(dKeys);
  clear<kColumns>(dValues);
  for (int firstQuery = 0; firstQuery < queries.rows; firstQuery += kTile) {
    float scores[kSide][kSide], dP[kSide][kSide];
    dotProducts(keys, block.firstRow, queries, firstQuery, place, space, scores);
    dotProducts(values, block.firstRow, dOut, firstQuery, place, space, dP);
#pragma unroll
    for (int j = 0; j < kSide; j++) {
      const int query = firstQuery + place.column + j;
      const size_t at = block.head * t.shape.tokens + static_cast<size_t>(query);
      const float logSum = query < queries.rows ? t.logSumExp[at] : 0.0f;
      const float delta = query < queries.rows ? t.delta[at] : 0.0f;
#pragma unroll
      for (int i = 0; i < kSide; i++) {
        const bool inside = query < queries.rows && block.firstRow + place.row + i < keys.rows;
        const ScoreGradient both = scoreGradient(t, scores[i][j], dP[i][j], logSum, delta, inside);
        scores[i][j] = both.p, dP[i][j] = both.ds;
      }
    }
    storeTransposed(scores, place, weights);
    storeTransposed(dP, place, gradients);
    __syncthreads();
    stageColumns<kColumns>(dOut, firstQuery, block.firstColumn, space);
    __syncthreads();
    addProduct<kColumns>(weights, space, place, dValues);
    __syncthreads();
    stageColumns<kColumns>(queries, firstQuery, block.firstColumn, space);
    __syncthreads();
    addProduct<kColumns>(gradients, space, place, dKeys);
  }
  const float scales[kSide] = {t.scale, t.scale, t.scale, t.scale}, ones[kSide] = {1.0f, 1.0f, 1.0f, 1.0f};
  writeSums<kColumns>(packedRows(t.shape, t.dQkv, block.head, 1), block.firstRow, block.firstColumn, place, dKeys,
                      scales);
  writeSums<kColumns>(packedRows(t.shape, t.dQkv, block.head, 2), block.firstRow, block.firstColumn, place, dValues,
                      ones);
}

// Each `transposed` array has kTransposedFloats.
template <int kColumns> Grid generalGrid(const AttentionShape& s, int transposed) {
  const size_t floats = static_cast<size_t>(kSpaceFloats<kColumns> + transposed * kTransposedFloats);
  return {dim3(static_cast<unsigned>(s.images * s.heads), blocksFor(s.tokens, kTile), blocksFor(s.width, kColumns)),
          kTileThreads, floats * sizeof(float)};
}

template <int kColumns> void launchGeneralForward(const Context& context, const GeneralTask& t) {
  launch(context, generalForward<kColumns>, generalGrid<kColumns>(t.shape, 1), t);
}
inline void runGeneralForward(const Context& context, const GeneralTask& t) {
  if (t.shape.width <= kTile) launchGeneralForward<kTile>(context, t);
  else launchGeneralForward<2 * kTile>(context, t);
}

template <int kColumns> void launchGeneralBackward(const Context& context, const GeneralTask& t) {
  launch(context, generalQueryGradient<kColumns>, generalGrid<kColumns>(t.shape, 1), t);
  launch(context, generalKeyGradient<kColumns>, generalGrid<kColumns>(t.shape, 2), t);
}
// Also computes t.delta.
inline void runGeneralBackward(const Context& context, GeneralTask t) {
  const size_t queries = t.shape.images * t.shape.heads * t.shape.tokens;
  const Scratch scratch(context.memory, queries * sizeof(float));
  t.delta = scratch.as<float>();
  launch(context, generalDelta, Grid{blocksFor(queries, kTileThreads / kWarp), kTileThreads}, t);
  if (t.shape.width <= kTile) launchGeneralBackward<kTile>(context, t);
  else launchGeneralBackward<2 * kTile>(context, t);
}

}  // namespace vitrail::cuda::attention
