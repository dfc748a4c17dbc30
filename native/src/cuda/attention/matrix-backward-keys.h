// The work of a warp on its keys in the backward pass, and the shared memory of a block for it. See
// matrix-backward.h.
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
  // Blocks of this launch.
  unsigned firstHead;
  float scale;
  // The most keys in a block of keys and the queries in a chunk, both multiples of 16, and the number of
  // blocks of keys.
  int keys, chunk, keyBlocks;
};

// 16 queries, or keys.
constexpr int kRowsOfTile = 16;
// With this many, a thread can have 255 registers.
constexpr int kBackwardWarps = 8;
// A warp's tiles of keys. With two, a product reads half as much from shared memory, but dK and dV take 128
// registers.
__host__ __device__ constexpr int keyTilesOf(int width) { return width <= 64 ? 2 : 1; }
// Whether a warp's K and V stay in its registers. If not, they are read from shared memory again for each tile
// of queries.
__host__ __device__ constexpr bool keepsKeys(int width) { return width <= 80; }
__host__ __device__ constexpr bool keepsValues(int width) { return width > 64 && width <= 80; }
// Columns of dQ that a warp computes at a time.
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
  // For each query of the chunk: logSumExp for powers of two, and the sum of dOut x out.
  SharedAddress statistics;

  static __host__ __device__ size_t bytes(int keys, int chunk) {
    return static_cast<size_t>(keys * (4 * kWidth + GradientTile::rowBytesOf(chunk)) +
                               chunk * (4 * kWidth + kStatisticsBytes));
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

// Loads queries [first, first + count), with all threads of a block. Four threads have one query.
template <int kWidth> __device__ __forceinline__ void copyQueries(const MatrixBackwardTask& t, unsigned head, int first,
                                                                  int count, const BackwardSpace<kWidth>& space) {
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
  // `row` is the row of the warp's keys in the tiles.
  __device__ __forceinline__ void begin(const BackwardSpace<kWidth>& space, int row) {
    if constexpr (keepsKeys(kWidth)) load(keys, space.keys, row);
    if constexpr (keepsValues(kWidth)) load(values, space.values, row);
  }

  // Multiplies a warp's rows, `kept` or from `own`, by 16 rows of `others`.
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

  template <int kUsed> static __device__ __forceinline__ void addProduct(const Fragment (&a)[kUsed],
                                                                         const Tile<kWidth>& b, int query,
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

  // Works on queries [query, query + 16) of the chunk. keysLeft and queriesLeft count those from here on.
  template <int kUsed> __device__ __forceinline__ void step(const BackwardSpace<kWidth>& space, int row, int query,
                                                            int keysLeft, int queriesLeft, float scale) {
    Accumulator p[kUsed][2], ds[kUsed][2];
    dotProducts<keepsKeys(kWidth), kUsed>(keys, space.keys, row, space.queries, query, p);
    dotProducts<keepsValues(kWidth), kUsed>(values, space.values, row, space.dOut, query, ds);
    const int g = laneOfThread() / 4, t = laneOfThread() % 4;
#pragma unroll
    for (int i = 0; i < 2; i++) {
      // Values of two queries.
      const float4 both = loadShared4(space.statistics + (query + 8 * i + 2 * t) * kStatisticsBytes);
#pragma unroll
      for (int j = 0; j < 4 * kUsed; j++) {
        float &power = p[j / 4][i][j % 4], &gradient = ds[j / 4][i][j % 4];
        power = powerOfTwo(power * scale - (j % 2 == 0 ? both.x : both.z));
        gradient = power * (gradient - (j % 2 == 0 ? both.y : both.w));
      }
    }
    if (keysLeft < kUsed * kRowsOfTile || queriesLeft < kRowsOfTile) {
      // Padding may hold NaN or infinity.
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

  // `first` is the first of the warp's keys.
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

}  // namespace vitrail::cuda::attention
