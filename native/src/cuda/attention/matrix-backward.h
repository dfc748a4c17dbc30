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
  // Sums of dQ for each block of threads: [tokens, in whole tiles; kWidth]. Unused where a block of keys is all keys.
  float* sums;
  // Of this launch.
  unsigned firstHead;
  float scale;
  // Multiples of 16: keys of a block of keys at most, queries of a chunk. And how many blocks of keys there are.
  int keys, chunk, keyBlocks;
};

// 16 queries, or keys.
constexpr int kRowsOfTile = 16;
// With as many, a thread can have 255 registers.
constexpr int kBackwardWarps = 8;
// A warp's tiles of keys. Two halve what is read from shared memory for a product; dK and dV then are 128 registers.
__host__ __device__ constexpr int keyTilesOf(int width) { return width <= 64 ? 2 : 1; }
// Whether a warp's K, and V, stay in its registers, else they are read from shared memory for all queries anew.
__host__ __device__ constexpr bool keepsKeys(int width) { return width <= 80; }
__host__ __device__ constexpr bool keepsValues(int width) { return width > 64 && width <= 80; }
// Columns of dQ that a warp works out at a time.
__host__ __device__ constexpr int queryColumnsOf(int width) { return width <= 80 ? width : width / 2; }

// dS^T of a chunk of queries in shared memory: [keys, queries] bf16, with a gap after a row where its chunks are a
// multiple of 4, so that only the lowest bit of their numbers need be turned.
struct GradientTile {
  SharedAddress bytes;
  int rowBytes;

  static __host__ __device__ int rowBytesOf(int queries) { return (queries / kChunk | 2) * kChunkBytes; }

  // `second`: of the two chunks from query on, which is a multiple of 16.
  __device__ __forceinline__ SharedAddress chunk(int key, int query, int second) const {
    return bytes + key * rowBytes + query * 2 + (second ^ (key >> 2 & 1)) * kChunkBytes;
  }
  // The A of queries [query, query + 16), keys [key, key + 16).
  __device__ __forceinline__ void queriesFirst(Fragment& a, int query, int key) const {
    const int lane = laneOfThread();
    loadMatrices<true>(a, chunk(key + lane % 8 + lane / 16 * 8, query, lane / 8 % 2));
  }
  // A warp's A of keys [key, key + 16), queries [query, query + 16).
  __device__ __forceinline__ void store(const Fragment& a, int query, int key) const {
    const int row = key + laneOfThread() / 4, t = laneOfThread() % 4;
#pragma unroll
    for (int i = 0; i < 4; i++) storeShared(chunk(row + i % 2 * 8, query, i / 2) + t * 4, a[i]);
  }
};

constexpr int kStatisticsBytes = 8;

// A block's shared memory.
template <int kWidth> struct BackwardSpace {
  Tile<kWidth> keys, queries, dOut, values;
  GradientTile gradients;
  // Of each query of the chunk: logSumExp for powers of two, and the sum of dOut x out.
  SharedAddress statistics;

  static __host__ __device__ size_t bytes(int keys, int chunk) {
    return static_cast<size_t>(keys * (4 * kWidth + GradientTile::rowBytesOf(chunk)) + chunk * (4 * kWidth + kStatisticsBytes));
  }
  __device__ __forceinline__ BackwardSpace(int ofKeys, int chunk) {
    statistics = sharedAddress(sharedMemory<float2>());
    keys = {statistics + chunk * kStatisticsBytes};
    values = keys.from(ofKeys);
    queries = values.from(ofKeys);
    dOut = queries.from(chunk);
    gradients = {dOut.from(chunk).bytes, GradientTile::rowBytesOf(chunk)};
  }
};

// Queries [first, first + count), by a block. Four threads have a query.
template <int kWidth>
__device__ __forceinline__ void copyQueries(const MatrixBackwardTask& t, unsigned head, int first, int count,
                                            const BackwardSpace<kWidth>& space) {
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const MatrixRows dOut = matrixRows(plainRows(t.shape, t.dOut, head, false));
  const MatrixRows out = matrixRows(plainRows(t.shape, t.out, head, false));
  copyRows<kWidth>(matrixRows(packedRows(t.shape, t.qkv, head, 0)), first, count, space.queries, thread, threads);
  copyRows<kWidth>(dOut, first, count, space.dOut, thread, threads);
#pragma unroll 1
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
    const float logSum = row < dOut.rows ? t.logSumExp[head * t.shape.tokens + static_cast<size_t>(row)] : 0.0f;
    storeShared(space.statistics + i * kStatisticsBytes, make_float2(logSum * kLog2OfE, sum));
  }
}

// A warp's keys, and their gradients.
template <int kWidth> struct BackwardState {
  static constexpr int kSteps = kWidth / 16, kTiles = keyTilesOf(kWidth);

  Fragment keys[kTiles][kSteps], values[kTiles][kSteps];
  Accumulator dKeys[kTiles][kWidth / 8], dValues[kTiles][kWidth / 8];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int i = 0; i < kTiles * kWidth / 8; i++) {
      for (float& c : dKeys[i / (kWidth / 8)][i % (kWidth / 8)]) c = 0.0f;
      for (float& c : dValues[i / (kWidth / 8)][i % (kWidth / 8)]) c = 0.0f;
    }
  }

  static __device__ __forceinline__ void load(Fragment (&kept)[kTiles][kSteps], const Tile<kWidth>& from, int row) {
#pragma unroll
    for (int i = 0; i < kTiles * kSteps; i++) {
      from.template rowsFirst<false>(kept[i / kSteps][i % kSteps], row + i / kSteps * kRowsOfTile, i % kSteps);
    }
  }
  // `row`: of the warp's keys in the tiles.
  __device__ __forceinline__ void begin(const BackwardSpace<kWidth>& space, int row) {
    if constexpr (keepsKeys(kWidth)) load(keys, space.keys, row);
    if constexpr (keepsValues(kWidth)) load(values, space.values, row);
  }

  // A warp's rows, `kept` or from `own`, times 16 rows of `others`.
  template <bool kKept, int kUsed>
  static __device__ __forceinline__ void dotProducts(const Fragment (&kept)[kTiles][kSteps], const Tile<kWidth>& own,
                                                     int row, const Tile<kWidth>& others, int query,
                                                     Accumulator (&dots)[kUsed][2]) {
#pragma unroll
    for (auto& tile : dots) {
      for (Accumulator& c : tile) c[0] = c[1] = c[2] = c[3] = 0.0f;
    }
#pragma unroll
    for (int k = 0; k < kSteps; k++) {
      Fragment b;
      others.chunksFirst(b, query, k);
#pragma unroll
      for (int m = 0; m < kUsed; m++) {
        if constexpr (kKept) {
          multiplyAdd(dots[m][0], kept[m][k], b[0], b[1]);
          multiplyAdd(dots[m][1], kept[m][k], b[2], b[3]);
        } else {
          Fragment a;
          own.template rowsFirst<false>(a, row + m * kRowsOfTile, k);
          multiplyAdd(dots[m][0], a, b[0], b[1]);
          multiplyAdd(dots[m][1], a, b[2], b[3]);
        }
      }
    }
  }

  template <int kUsed>
  static __device__ __forceinline__ void addProduct(const Fragment (&a)[kUsed], const Tile<kWidth>& b, int query,
                                                    Accumulator (&sums)[kTiles][kWidth / 8]) {
#pragma unroll
    for (int k = 0; k < kSteps; k++) {
      Fragment words;
      b.template rowsFirst<true>(words, query, k);
#pragma unroll
      for (int m = 0; m < kUsed; m++) {
        multiplyAdd(sums[m][2 * k], a[m], words[0], words[1]);
        multiplyAdd(sums[m][2 * k + 1], a[m], words[2], words[3]);
      }
    }
  }

  // Queries [query, query + 16) of the chunk. keysLeft, queriesLeft: how many of them and what follows there are.
  template <int kUsed>
  __device__ __forceinline__ void step(const BackwardSpace<kWidth>& space, int row, int query, int keysLeft,
                                       int queriesLeft, float scale) {
    Accumulator p[kUsed][2], ds[kUsed][2];
    dotProducts<keepsKeys(kWidth), kUsed>(keys, space.keys, row, space.queries, query, p);
    dotProducts<keepsValues(kWidth), kUsed>(values, space.values, row, space.dOut, query, ds);
    const int g = laneOfThread() / 4, t = laneOfThread() % 4;
#pragma unroll
    for (int i = 0; i < 2; i++) {
      // Of two queries.
      const float4 both = loadShared4(space.statistics + (query + 8 * i + 2 * t) * kStatisticsBytes);
#pragma unroll
      for (int j = 0; j < 4 * kUsed; j++) {
        float &power = p[j / 4][i][j % 4], &gradient = ds[j / 4][i][j % 4];
        power = powerOfTwo(power * scale - (j % 2 == 0 ? both.x : both.z));
        gradient = power * (gradient - (j % 2 == 0 ? both.y : both.w));
      }
    }
    if (keysLeft < kUsed * kRowsOfTile || queriesLeft < kRowsOfTile) {
      // What padding holds may be NaN, or infinite.
#pragma unroll
      for (int i = 0; i < 8 * kUsed; i++) {
        const int key = i / 8 * kRowsOfTile + i % 4 / 2 * 8 + g, ofQuery = i % 8 / 4 * 8 + 2 * t + i % 2;
        if (key < keysLeft && ofQuery < queriesLeft) continue;
        p[i / 8][i % 8 / 4][i % 4] = ds[i / 8][i % 8 / 4][i % 4] = 0.0f;
      }
    }
    Fragment weights[kUsed], gradients[kUsed];
#pragma unroll
    for (int m = 0; m < kUsed; m++) {
      roundToA(p[m], weights[m]);
      roundToA(ds[m], gradients[m]);
      space.gradients.store(gradients[m], query, row + m * kRowsOfTile);
    }
    addProduct<kUsed>(weights, space.dOut, query, dValues);
    addProduct<kUsed>(gradients, space.queries, query, dKeys);
  }

  // `first`: of the warp's keys.
  __device__ __forceinline__ void write(const MatrixBackwardTask& t, unsigned head, int first) const {
    const MatrixRows keyRows = matrixRows(packedRows(t.shape, t.dQkv, head, 1));
    const MatrixRows valueRows = matrixRows(packedRows(t.shape, t.dQkv, head, 2));
    const float scale = t.scale / kLog2OfE;
#pragma unroll
    for (int i = 0; i < 2 * kTiles; i++) {
      const int row = first + i * 8 + laneOfThread() / 4;
      writeRow<kWidth>(keyRows, row, 0, dKeys[i / 2], i % 2, scale);
      writeRow<kWidth>(valueRows, row, 0, dValues[i / 2], i % 2, 1.0f);
    }
  }
};

// dQ of queries [query, query + 16) of the chunk, `row` of the head, from keyTiles x 16 keys, block number keyBlock.
// `part`: of the columns.
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

template <int kWidth>
__global__ __launch_bounds__(kBackwardWarps * kWarp, 1) void matrixBackward(MatrixBackwardTask t) {
  const unsigned head = t.firstHead + blockIdx.x;
  constexpr int kTiles = keyTilesOf(kWidth), kParts = kWidth / queryColumnsOf(kWidth);
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const int warp = warpOfThread(), warps = threads / kWarp, tokens = static_cast<int>(t.shape.tokens);
  const int tiles = (tokens + kRowsOfTile - 1) / kRowsOfTile;
  const BackwardSpace<kWidth> space(t.keys, t.chunk);
  for (int keyBlock = 0; keyBlock < t.keyBlocks; keyBlock++) {
    // About as many tiles in each block.
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
      // dS and the queries of the last chunk have been read.
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

// Blocks of keys follow from the shape, as they decide the order of dQ's sums; the rest does not reach the results.
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
  // With sums that are a block's: few enough blocks to a launch that the sums stay small.
  const size_t most = t.keyBlocks == 1 ? heads : 8 * static_cast<size_t>(context.device.multiprocessors());
  const size_t floats = t.keyBlocks == 1 ? 0 : min(heads, most) * static_cast<size_t>(tiles * kRowsOfTile) * kWidth;
  const Scratch scratch(context.memory, floats * sizeof(float));
  t.sums = scratch.as<float>();
  for (size_t first = 0; first < heads; first += most) {
    t.firstHead = static_cast<unsigned>(first);
    launch(context, matrixBackward<kWidth>,
           Grid{static_cast<unsigned>(min(most, heads - first)), static_cast<unsigned>(warps * kWarp),
                bytes(chunkTiles)},
           t);
  }
}

}  // namespace vitrail::cuda::attention
