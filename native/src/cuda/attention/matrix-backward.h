// The gradient of attention by tensor cores: what matrix-forward.h takes.
//
// One kernel, one block for a head, each warp with 16 of its keys: S^T = K Q^T, P^T and dS^T = P^T (dP^T - delta) with
// dP^T = V dO^T are in the layout of an A, so that dV += P^T dO and dK += dS^T Q take them from the registers they were
// computed in, and add up in registers over all queries. Only dS crosses warps: it goes through shared memory, and
// dQ = dS K follows when all warps have written theirs, each warp with 16 queries and all keys. 5 products of S x S x d
// instead of the 7 of two kernels that work out scores for themselves, every operand read once, no atomics.
//
// All that needs 162 KB for 197 tokens of 64 on an H200, where one block of 13 warps fills a multiprocessor. Where it
// does not fit, queries come in chunks, which changes no result; where a head has more keys than the warps hold, it is
// gone through in blocks of keys, with fp32 sums of dQ in between: these belong to the block of threads, which takes one
// head after the other then, and stay in the L2 cache.
//
// ViT-B/16, batch 256 (3,072 heads of 197 x 64): 76.3 GFLOP, 85.1 with padding, 388 MB read, 232 MB written: 137 us at
// the 620 TFLOP/s that mma.sync has on an H200, 144 us at 4.3 TB/s; and 300 bytes from shared memory for each product
// of 16 x 8 x 16, 210 us at 128 bytes a clock.
#pragma once
#include "matrix-tile.h"

namespace vitrail::cuda::attention {

struct MatrixBackwardTask {
  AttentionShape shape;
  Array qkv, out;
  const float* logSumExp;
  Array dOut, dQkv;
  // Sums of dQ for each block of threads: [tokens, in whole tiles; kWidth]; null where a block of keys is all keys.
  float* sums;
  float scale;
  // Queries of a chunk, a multiple of 16; blocks of keys.
  int chunk, keyBlocks;
};

// 16 queries, or keys.
constexpr int kRowsOfTile = 16;
// As many as have their registers: 152 each for 13 warps.
__host__ __device__ constexpr int backwardWarpsOf(int width) { return width <= 64 ? 13 : width <= 80 ? 9 : 8; }
// A warp's K and V stay in registers, else they are read from shared memory again and again.
__host__ __device__ constexpr bool keepsOperands(int width) { return width <= 80; }

// dS^T of a chunk of queries in shared memory: [keys, queries] bf16.
struct GradientTile {
  unsigned char* bytes;
  int queries;

  __device__ __forceinline__ unsigned char* chunk(int key, int c) const {
    return bytes + (key * (queries / kChunk) + (c ^ twistOf(queries / kChunk, key))) * kChunkBytes;
  }
  // The A of queries [query, query + 16), keys [key, key + 16).
  __device__ __forceinline__ void queriesFirst(Fragment& a, int query, int key) const {
    const int lane = laneOfThread();
    loadMatrices<true>(a, chunk(key + lane % 8 + lane / 16 * 8, query / kChunk + lane / 8 % 2));
  }
  // A warp's A of keys [key, key + 16), queries [query, query + 16).
  __device__ __forceinline__ void store(const Fragment& a, int query, int key) const {
    const int row = key + laneOfThread() / 4, t = laneOfThread() % 4;
#pragma unroll
    for (int i = 0; i < 4; i++) {
      *reinterpret_cast<uint32_t*>(chunk(row + i % 2 * 8, query / kChunk + i / 2) + t * 4) = a[i];
    }
  }
};

// A block's shared memory.
template <int kWidth> struct BackwardSpace {
  Tile<kWidth> keys, queries, dOut, values;
  GradientTile gradients;
  // Of the chunk's queries: logSumExp for powers of two, and the sum of dOut x out.
  float *logSum, *delta;

  static __host__ __device__ size_t bytes(int keys, int chunk) {
    const int wide = keepsOperands(kWidth) ? max(kWidth, chunk) : kWidth + chunk;
    return static_cast<size_t>(keys) * (kWidth + wide) * 2 + static_cast<size_t>(chunk) * (kWidth * 4 + 8);
  }
  // Kept V are in registers before the first dS is written: they share the memory.
  __device__ __forceinline__ BackwardSpace(int ofKeys, int chunk) {
    keys = {sharedMemory<unsigned char>()};
    queries = keys.from(ofKeys);
    dOut = queries.from(chunk);
    logSum = reinterpret_cast<float*>(dOut.from(chunk).bytes);
    delta = logSum + chunk;
    values = {reinterpret_cast<unsigned char*>(delta + chunk)};
    gradients = {keepsOperands(kWidth) ? values.bytes : values.from(ofKeys).bytes, chunk};
  }
};

// Queries [first, first + count), by a block. Four threads have a query.
template <int kWidth>
__device__ __forceinline__ void copyQueries(const MatrixBackwardTask& t, size_t head, int first, int count,
                                            const BackwardSpace<kWidth>& space) {
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const MatrixRows dOut = matrixRows(plainRows(t.shape, t.dOut, head, false));
  const MatrixRows out = matrixRows(plainRows(t.shape, t.out, head, false));
  copyRows<kWidth>(matrixRows(packedRows(t.shape, t.qkv, head, 0)), first, count, space.queries, thread, threads);
  copyRows<kWidth>(dOut, first, count, space.dOut, thread, threads);
  for (int i = thread / 4; i < count; i += threads / 4) {
    const int row = first + i;
    float sum = 0.0f;
    for (int c = thread % 4; c < dOut.chunks && row < dOut.rows; c += 4) {
      float a[kGroup], b[kGroup];
      Elements<true>{out.at(row, c * kChunk)}.loadGroup(0, kGroup, a);
      Elements<true>{dOut.at(row, c * kChunk)}.loadGroup(0, kGroup, b);
#pragma unroll
      for (int j = 0; j < kGroup; j++) sum += a[j] * b[j];
    }
    sum = sumOfFour(sum);
    if (thread % 4 != 0) continue;
    space.delta[i] = sum;
    space.logSum[i] = row < dOut.rows ? t.logSumExp[head * t.shape.tokens + static_cast<size_t>(row)] * kLog2OfE : 0.0f;
  }
}

// A warp's 16 keys, and their gradients.
template <int kWidth> struct BackwardState {
  static constexpr int kSteps = kWidth / 16;
  static constexpr int kKept = keepsOperands(kWidth) ? kSteps : 1;

  Fragment keys[kKept], values[kKept];
  Accumulator dKeys[kWidth / 8], dValues[kWidth / 8];

  // `row`: of the warp's keys in the tiles.
  __device__ __forceinline__ void begin(const BackwardSpace<kWidth>& space, int row) {
    if constexpr (keepsOperands(kWidth)) {
#pragma unroll
      for (int k = 0; k < kSteps; k++) {
        space.keys.template rowsFirst<false>(keys[k], row, k);
        space.values.template rowsFirst<false>(values[k], row, k);
      }
    }
#pragma unroll
    for (int i = 0; i < kWidth / 8; i++) {
      for (int j = 0; j < 4; j++) dKeys[i][j] = dValues[i][j] = 0.0f;
    }
  }

  // Rows of a tile times a warp's 16 rows of another.
  __device__ __forceinline__ void dotProducts(const Fragment (&kept)[kKept], const Tile<kWidth>& own, int row,
                                              const Tile<kWidth>& others, int query, Accumulator (&dots)[2]) const {
#pragma unroll
    for (Accumulator& c : dots) c[0] = c[1] = c[2] = c[3] = 0.0f;
#pragma unroll
    for (int k = 0; k < kSteps; k++) {
      Fragment b;
      others.chunksFirst(b, query, k);
      if constexpr (keepsOperands(kWidth)) {
        multiplyAdd(dots[0], kept[k], b[0], b[1]);
        multiplyAdd(dots[1], kept[k], b[2], b[3]);
      } else {
        Fragment a;
        own.template rowsFirst<false>(a, row, k);
        multiplyAdd(dots[0], a, b[0], b[1]);
        multiplyAdd(dots[1], a, b[2], b[3]);
      }
    }
  }

  static __device__ __forceinline__ void addProduct(const Fragment& a, const Tile<kWidth>& b, int query,
                                                    Accumulator (&sums)[kWidth / 8]) {
#pragma unroll
    for (int k = 0; k < kSteps; k++) {
      Fragment words;
      b.template rowsFirst<true>(words, query, k);
      multiplyAdd(sums[2 * k], a, words[0], words[1]);
      multiplyAdd(sums[2 * k + 1], a, words[2], words[3]);
    }
  }

  // Queries [query, query + 16) of the chunk. keysLeft, queriesLeft: how many of the 16 and what follows there are.
  __device__ __forceinline__ void step(const BackwardSpace<kWidth>& space, int row, int query, int keysLeft,
                                       int queriesLeft, float scale) {
    Accumulator p[2], ds[2];
    dotProducts(keys, space.keys, row, space.queries, query, p);
    dotProducts(values, space.values, row, space.dOut, query, ds);
    const int g = laneOfThread() / 4, t = laneOfThread() % 4;
#pragma unroll
    for (int i = 0; i < 2; i++) {
      const int at = query + 8 * i + 2 * t;
      const float2 logSum = *reinterpret_cast<const float2*>(space.logSum + at);
      const float2 delta = *reinterpret_cast<const float2*>(space.delta + at);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        p[i][j] = powerOfTwo(p[i][j] * scale - (j % 2 == 0 ? logSum.x : logSum.y));
        ds[i][j] = p[i][j] * (ds[i][j] - (j % 2 == 0 ? delta.x : delta.y));
      }
    }
    if (min(keysLeft, queriesLeft) < kRowsOfTile) {
      // What padding holds may be NaN, or infinite.
#pragma unroll
      for (int i = 0; i < 8; i++) {
        if (g + i % 4 / 2 * 8 < keysLeft && i / 4 * 8 + 2 * t + i % 2 < queriesLeft) continue;
        p[i / 4][i % 4] = ds[i / 4][i % 4] = 0.0f;
      }
    }
    Fragment weights, gradients;
    roundToA(p, weights);
    roundToA(ds, gradients);
    space.gradients.store(gradients, query, row);
    addProduct(weights, space.dOut, query, dValues);
    addProduct(gradients, space.queries, query, dKeys);
  }

  // `first`: of the warp's keys.
  __device__ __forceinline__ void write(const MatrixBackwardTask& t, size_t head, int first) const {
    const MatrixRows keyRows = matrixRows(packedRows(t.shape, t.dQkv, head, 1));
    const MatrixRows valueRows = matrixRows(packedRows(t.shape, t.dQkv, head, 2));
    const float scale = t.scale / kLog2OfE;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int row = first + half * 8 + laneOfThread() / 4;
      writeRow<kWidth>(keyRows, row, dKeys, half, scale);
      writeRow<kWidth>(valueRows, row, dValues, half, 1.0f);
    }
  }
};

// dQ of queries [query, query + 16) of the chunk, `row` of the head, from keyTiles x 16 keys, block number keyBlock.
template <int kWidth>
__device__ __forceinline__ void queryGradient(const MatrixBackwardTask& t, const BackwardSpace<kWidth>& space,
                                              size_t head, int query, int row, int keyTiles, int keyBlock) {
  Accumulator sums[kWidth / 8];
#pragma unroll
  for (Accumulator& c : sums) c[0] = c[1] = c[2] = c[3] = 0.0f;
  for (int tile = 0; tile < keyTiles; tile++) {
    Fragment a;
    space.gradients.queriesFirst(a, query, tile * kRowsOfTile);
    BackwardState<kWidth>::addProduct(a, space.keys, tile * kRowsOfTile, sums);
  }
  const int lane = laneOfThread();
  const bool isLast = keyBlock + 1 == t.keyBlocks;
  const MatrixRows to = matrixRows(packedRows(t.shape, t.dQkv, head, 0));
  const size_t padded = (t.shape.tokens + kRowsOfTile - 1) / kRowsOfTile * kRowsOfTile;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int mine = row + half * 8 + lane / 4;
    if (t.keyBlocks > 1) {
      float* kept = t.sums + (blockIdx.x * padded + static_cast<size_t>(mine)) * kWidth + lane % 4 * 2;
#pragma unroll
      for (int i = 0; i < kWidth / 8; i++) {
        float2* at = reinterpret_cast<float2*>(kept + 8 * i);
        if (keyBlock > 0) sums[i][2 * half] += at->x, sums[i][2 * half + 1] += at->y;
        if (!isLast) *at = make_float2(sums[i][2 * half], sums[i][2 * half + 1]);
      }
    }
    if (isLast) writeRow<kWidth>(to, mine, sums, half, t.scale / kLog2OfE);
  }
}

template <int kWidth>
__device__ __forceinline__ void headBackward(const MatrixBackwardTask& t, size_t head) {
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const int warp = warpOfThread(), warps = threads / kWarp, tokens = static_cast<int>(t.shape.tokens);
  const int tiles = (tokens + kRowsOfTile - 1) / kRowsOfTile;
  const BackwardSpace<kWidth> space(warps * kRowsOfTile, t.chunk);
  for (int keyBlock = 0; keyBlock < t.keyBlocks; keyBlock++) {
    // Tiles of keys: about as many in each block.
    const int firstTile = tiles * keyBlock / t.keyBlocks;
    const int keyTiles = tiles * (keyBlock + 1) / t.keyBlocks - firstTile;
    const int row = warp * kRowsOfTile, firstKey = firstTile * kRowsOfTile + row;
    const bool hasKeys = warp < keyTiles;
    BackwardState<kWidth> state;
    __syncthreads();
    const int keysOfBlock = keyTiles * kRowsOfTile;
    copyRows<kWidth>(matrixRows(packedRows(t.shape, t.qkv, head, 1)), firstTile * kRowsOfTile, keysOfBlock, space.keys,
                     thread, threads);
    copyRows<kWidth>(matrixRows(packedRows(t.shape, t.qkv, head, 2)), firstTile * kRowsOfTile, keysOfBlock,
                     space.values, thread, threads);
    for (int first = 0; first < tokens; first += t.chunk) {
      const int count = min(t.chunk, tiles * kRowsOfTile - first);
      // dS, and queries, of the last chunk have been read.
      if (first > 0) __syncthreads();
      copyQueries<kWidth>(t, head, first, count, space);
      commitCopies();
      waitForCopies(0);
      __syncthreads();
      if (first == 0) {
        if (hasKeys) state.begin(space, row);
        __syncthreads();
      }
      if (hasKeys) {
        for (int query = 0; query < count; query += kRowsOfTile) {
          state.step(space, row, query, tokens - firstKey, tokens - first - query, t.scale);
        }
      }
      if (hasKeys && first + count >= tokens) state.write(t, head, firstKey);
      __syncthreads();
      for (int query = row; query < count; query += warps * kRowsOfTile) {
        queryGradient<kWidth>(t, space, head, query, first + query, keyTiles, keyBlock);
      }
    }
  }
}

template <int kWidth>
__global__ __launch_bounds__(backwardWarpsOf(kWidth) * kWarp, 1) void matrixBackward(MatrixBackwardTask t) {
  for (size_t head = blockIdx.x; head < t.shape.images * t.shape.heads; head += gridDim.x) {
    headBackward<kWidth>(t, head);
  }
}

// Blocks of keys follow from the shape, as they decide the order of dQ's sums; the rest does not reach the results.
template <int kWidth> void launchMatrixBackward(const Context& context, MatrixBackwardTask t) {
  const auto dividedBy = [](size_t count, size_t by) { return static_cast<int>((count + by - 1) / by); };
  const int tiles = dividedBy(t.shape.tokens, kRowsOfTile);
  t.keyBlocks = dividedBy(static_cast<size_t>(tiles), backwardWarpsOf(kWidth));
  const int warps = dividedBy(static_cast<size_t>(tiles), static_cast<size_t>(t.keyBlocks));
  const auto bytes = [&](int chunkTiles) {
    return BackwardSpace<kWidth>::bytes(warps * kRowsOfTile, chunkTiles * kRowsOfTile);
  };
  int most = tiles;
  while (most > 1 && bytes(most) > context.device.sharedBytes()) most--;
  const int chunks = dividedBy(static_cast<size_t>(tiles), static_cast<size_t>(most));
  const int chunkTiles = dividedBy(static_cast<size_t>(tiles), static_cast<size_t>(chunks));
  t.chunk = chunkTiles * kRowsOfTile;
  const size_t heads = t.shape.images * t.shape.heads;
  // With sums that are a block's: as many blocks as can be at work.
  const size_t blocks =
      t.keyBlocks == 1 ? heads : min(heads, 2 * static_cast<size_t>(context.device.multiprocessors()));
  const size_t floats = t.keyBlocks == 1 ? 0 : blocks * static_cast<size_t>(tiles * kRowsOfTile) * kWidth;
  const Scratch scratch(context.memory, floats * sizeof(float));
  t.sums = scratch.as<float>();
  launch(context, matrixBackward<kWidth>,
         Grid{static_cast<unsigned>(blocks), static_cast<unsigned>(warps * kWarp), bytes(chunkTiles)}, t);
}

}  // namespace vitrail::cuda::attention
