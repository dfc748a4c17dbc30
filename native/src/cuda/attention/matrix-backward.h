// The gradient of attention on tensor cores, for the same cases as matrix-forward.h.
//
// There is one kernel. A block has one head, and a warp has 32 of its keys (16 of heads wider than 64). S^T = K Q^T,
// P^T and dS^T = P^T (dP^T - delta) with dP^T = V dO^T have the layout of an A. So dV += P^T dO and dK += dS^T Q take
// them from the registers in which they were computed, and add up in registers over all queries. Only dS is exchanged
// between warps, through shared memory. When all warps have written their dS, dQ = dS K follows, where a warp has 16
// queries and all keys. This takes 5 gemms of S x S x d, while two kernels that each compute the scores would take 7.
// Every operand is read once, and there are no atomics.
//
// For 197 tokens of 64 this takes 190 KB on an H200, where a multiprocessor runs one block of 7 warps with 255
// registers a thread. A warp has 32 keys because 13 warps of 16 keys would have only 128 registers, and would read 340
// bytes from shared memory for a product of 16 x 8 x 16 in place of 230. If shared memory is not large enough, queries
// come in chunks, which does not change the results. If a head has more keys than the warps can hold, it is processed
// in blocks of keys, with fp32 sums of dQ in between that the same thread writes and reads.
//
// ViT-B/16, batch 256 (3,072 heads of 197 x 64): 76.3 GFLOP, 85.1 with padding, 388 MB read, 232 MB written: 137 us at
// the 620 TFLOP/s that mma.sync has on an H200, 144 us at 4.3 TB/s, 161 us at 128 bytes a clock from shared memory.
// Nothing on the same multiprocessor overlaps a block's first copies.
#pragma once
#include "matrix-backward-keys.h"

namespace vitrail::cuda::attention {

// dQ of queries [query, query + 16) of the chunk, `row` of the head, from keyTiles x 16 keys, block number
// keyBlock. `part` is the part of the columns.
template <int kWidth>
__device__ __forceinline__ void queryGradient(const MatrixBackwardTask& t, const BackwardSpace<kWidth>& space,
                                              unsigned head, int query, int row, int keyTiles, int keyBlock, int part) {
  constexpr int kColumns = queryColumnsOf(kWidth);
  const int column = part * kColumns;
  Accumulator sums[kColumns / 8];
#pragma unroll
  for (Accumulator& c : sums) c[0] = c[1] = c[2] = c[3] = 0.0f;
#pragma unroll 1
  for (int tile = 0; tile < keyTiles; tile++) {
    Fragment a;
    space.gradients.queriesFirst(a, query, tile * kRowsOfTile);
#pragma unroll
    for (int k = 0; k < kColumns / 16; k++) {
      Fragment b;
      space.keys.template rowsFirst<true>(b, tile * kRowsOfTile, column / 16 + k);
      multiplyAdd(sums[2 * k], a, b[0], b[1]);
      multiplyAdd(sums[2 * k + 1], a, b[2], b[3]);
    }
  }
  const bool isLast = keyBlock + 1 == t.keyBlocks;
  const MatrixRows to = matrixRows(packedRows(t.shape, t.dQkv, head, 0));
  const size_t padded = (t.shape.tokens + kRowsOfTile - 1) / kRowsOfTile * kRowsOfTile;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int mine = row + half * 8 + laneOfThread() / 4;
    if (t.keyBlocks > 1) {
      const int first = column + laneOfThread() % 4 * 2;
      float* kept = t.sums + (blockIdx.x * padded + static_cast<size_t>(mine)) * kWidth + first;
#pragma unroll
      for (int i = 0; i < kColumns / 8; i++) {
        float2* at = reinterpret_cast<float2*>(kept + 8 * i);
        if (keyBlock > 0) sums[i][2 * half] += at->x, sums[i][2 * half + 1] += at->y;
        if (!isLast) *at = make_float2(sums[i][2 * half], sums[i][2 * half + 1]);
      }
    }
    if (isLast) writeRow<kColumns>(to, mine, column / kChunk, sums, half, t.scale / kLog2OfE);
  }
}

template <int kWidth> __global__ __launch_bounds__(kBackwardWarps* kWarp, 1) void matrixBackward(MatrixBackwardTask t) {
  const unsigned head = t.firstHead + blockIdx.x;
  constexpr int kTiles = keyTilesOf(kWidth), kParts = kWidth / queryColumnsOf(kWidth);
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const int warp = warpOfThread(), warps = threads / kWarp, tokens = static_cast<int>(t.shape.tokens);
  const int tiles = (tokens + kRowsOfTile - 1) / kRowsOfTile;
  const BackwardSpace<kWidth> space(t.keys, t.chunk);
  for (int keyBlock = 0; keyBlock < t.keyBlocks; keyBlock++) {
    // Each block gets about the same number of tiles.
    const int firstTile = tiles * keyBlock / t.keyBlocks;
    const int keyTiles = tiles * (keyBlock + 1) / t.keyBlocks - firstTile, keys = keyTiles * kRowsOfTile;
    const int row = warp * kTiles * kRowsOfTile, firstKey = firstTile * kRowsOfTile + row;
    // This warp's.
    const int mine = keyTiles - warp * kTiles;
    BackwardState<kWidth> state;
    state.clear();
    __syncthreads();
    copyRows<kWidth>(matrixRows(packedRows(t.shape, t.qkv, head, 1)), firstTile * kRowsOfTile, keys, space.keys, thread,
                     threads);
    copyRows<kWidth>(matrixRows(packedRows(t.shape, t.qkv, head, 2)), firstTile * kRowsOfTile, keys, space.values,
                     thread, threads);
    for (int first = 0; first < tokens; first += t.chunk) {
      const int count = min(t.chunk, tiles * kRowsOfTile - first);
      // All warps have read dS and the queries of the last chunk.
      if (first > 0) __syncthreads();
      copyQueries<kWidth>(t, head, first, count, space);
      commitCopies();
      waitForCopies(0);
      __syncthreads();
      if (mine > 0) state.begin(space, row);
      if (mine >= kTiles) {
#pragma unroll 1
        for (int query = 0; query < count; query += kRowsOfTile) {
          state.template step<kTiles>(space, row, query, tokens - firstKey, tokens - first - query, t.scale);
        }
      } else if (mine > 0) {
#pragma unroll 1
        for (int query = 0; query < count; query += kRowsOfTile) {
          state.template step<1>(space, row, query, tokens - firstKey, tokens - first - query, t.scale);
        }
      }
      if (mine > 0 && first + count >= tokens) state.write(t, head, firstKey);
      __syncthreads();
      for (int i = warp; i < count / kRowsOfTile * kParts; i += warps) {
        const int query = i / kParts * kRowsOfTile;
        queryGradient<kWidth>(t, space, head, query, first + query, keyTiles, keyBlock, i % kParts);
      }
    }
  }
}

// Blocks of keys depend only on the shape, because they decide the order of dQ's sums. The rest has no
// influence on results.
template <int kWidth> void launchMatrixBackward(const Context& context, MatrixBackwardTask t) {
  const auto dividedBy = [](int count, int by) { return (count + by - 1) / by; };
  const int tiles = dividedBy(static_cast<int>(t.shape.tokens), kRowsOfTile);
  t.keyBlocks = dividedBy(tiles, kBackwardWarps * keyTilesOf(kWidth));
  const int keyTiles = dividedBy(tiles, t.keyBlocks), warps = dividedBy(keyTiles, keyTilesOf(kWidth));
  t.keys = keyTiles * kRowsOfTile;
  const auto bytes = [&](int chunkTiles) { return BackwardSpace<kWidth>::bytes(t.keys, chunkTiles * kRowsOfTile); };
  int fitting = tiles;
  while (fitting > 1 && bytes(fitting) > context.device.sharedBytes()) fitting--;
  const int chunkTiles = dividedBy(tiles, dividedBy(tiles, fitting));
  t.chunk = chunkTiles * kRowsOfTile;
  const size_t heads = t.shape.images * t.shape.heads;
  // Each block has its own sums, so a launch has only so many blocks that the sums stay small.
  const size_t most = t.keyBlocks == 1 ? heads : 8 * static_cast<size_t>(context.device.multiprocessors());
  const size_t floats = t.keyBlocks == 1 ? 0 : min(heads, most) * static_cast<size_t>(tiles * kRowsOfTile) * kWidth;
  const Scratch scratch(context.memory, floats * sizeof(float));
  t.sums = scratch.as<float>();
  for (size_t first = 0; first < heads; first += most) {
    t.firstHead = static_cast<unsigned>(first);
    launch(
        context, matrixBackward<kWidth>,
        Grid{static_cast<unsigned>(min(most, heads - first)), static_cast<unsigned>(warps * kWarp), bytes(chunkTiles)},
        t);
  }
}

}  // namespace vitrail::cuda::attention
