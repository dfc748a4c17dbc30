// Attention on tensor cores, for bf16 of a width that is a multiple of 8, up to 128.
//
// A warp has 32 queries (16 of heads wider than 80), with Q and the sums of P V in its registers, and takes the keys 16
// at a time. 197 tokens are padded to 208 queries and keys. The softmax takes one pass (arXiv 2205.14135), with one
// saving: the sums are rescaled to a new maximum only when a score exceeds the old one by a factor of 2^8, because P
// may be above 1. A query's result depends only on its scores, in the order of the keys, and not on how queries are
// given to warps and blocks, nor on the size of shared memory.
//
// If three blocks of a multiprocessor can each hold all keys and values of a head (197 tokens of 64 on an H200), a
// block has a whole head. Otherwise a block has up to 128 queries, and loads 64 keys at a time into two buffers in
// turn.
//
// ViT-B/16, batch 256 (3,072 heads of 197 x 64): 30.5 GFLOP, 34.0 with padding, 232 MB read, 78 MB written: 55 us at
// the 620 TFLOP/s that mma.sync has on an H200, 72 us at 4.3 TB/s.
#pragma once
#include "matrix-tile.h"

namespace vitrail::cuda::attention {

struct MatrixForwardTask {
  AttentionShape shape;
  Array qkv, out;
  float* logSumExp;
  // The scale of scores, for powers of two.
  float scale;
  // Blocks of a head; times that a block's warps take queries; buffers for 64 keys; rows of all buffers
  // together.
  int groups, rounds, stages, keyRows;
};

// Keys that are copied at a time.
constexpr int kKeysOfChunk = 64;
constexpr int kForwardWarps = 4;
// A score may exceed the maximum so far by up to this power of two.
constexpr float kTolerance = 8.0f;
// Used in place of -infinity, from which nothing can be subtracted.
constexpr float kNoPeak = -3e38f;

__host__ __device__ constexpr int queryTilesOf(int width) { return width <= 80 ? 2 : 1; }
constexpr int forwardBlocksOf(int width) { return width <= 32 ? 4 : width <= 64 ? 3 : 2; }

// The state of a warp's queries, 16 in each of kTiles.
template <int kWidth, int kTiles> struct ForwardState {
  Fragment queries[kTiles][kWidth / 16];
  Accumulator out[kTiles][kWidth / 8];
  // For rows g and g + 8: the value that is subtracted from scores, and this lane's part of the sum of powers.
  float peak[kTiles][2], total[kTiles][2];

  __device__ __forceinline__ void begin(const Tile<kWidth>& from) {
#pragma unroll
    for (int m = 0; m < kTiles; m++) {
#pragma unroll
      for (int k = 0; k < kWidth / 16; k++) from.template rowsFirst<false>(queries[m][k], 16 * m, k);
      for (Accumulator& c : out[m]) c[0] = c[1] = c[2] = c[3] = 0.0f;
      for (int half = 0; half < 2; half++) peak[m][half] = kNoPeak, total[m][half] = 0.0f;
    }
  }

  // Rescales a row's sums to a new maximum if its scores exceed the old one too far.
  __device__ __forceinline__ void raise(int m, int half, float largest) {
    largest = maximumOfFour(largest);
    if (largest <= peak[m][half] + kTolerance) return;
    const float keep = powerOfTwo(peak[m][half] - largest);
    peak[m][half] = largest;
    total[m][half] *= keep;
#pragma unroll
    for (Accumulator& c : out[m]) c[2 * half] *= keep, c[2 * half + 1] *= keep;
  }

  // Works on keys [row, row + 16) of the tiles, of which the first `count` are real. Tiles beyond kUsed have
  // no queries.
  template <int kUsed> __device__ __forceinline__ void step(const Tile<kWidth>& keys, const Tile<kWidth>& values,
                                                            int row, int count, float scale) {
    Accumulator scores[kUsed][2];
#pragma unroll
    for (auto& tile : scores) {
      for (Accumulator& c : tile) c[0] = c[1] = c[2] = c[3] = 0.0f;
    }
#pragma unroll
    for (int k = 0; k < kWidth / 16; k++) {
      Fragment b;
      keys.chunksFirst(b, row, k);
#pragma unroll
      for (int m = 0; m < kUsed; m++) {
        multiplyAdd(scores[m][0], queries[m][k], b[0], b[1]);
        multiplyAdd(scores[m][1], queries[m][k], b[2], b[3]);
      }
    }
    if (count < 16) {
      const int first = laneOfThread() % 4 * 2;
#pragma unroll
      for (int i = 0; i < 8; i++) {
        if (i / 4 * 8 + first + i % 2 < count) continue;
        for (int m = 0; m < kUsed; m++) scores[m][i / 4][i % 4] = -INFINITY;
      }
    }
    float largest[kUsed][2];
    bool rises = false;
#pragma unroll
    for (int m = 0; m < kUsed; m++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const Accumulator &a = scores[m][0], &b = scores[m][1];
        // Ignores NaN; the total does not.
        largest[m][half] = scale * fmaxf(fmaxf(a[2 * half], a[2 * half + 1]), fmaxf(b[2 * half], b[2 * half + 1]));
        rises = rises || largest[m][half] > peak[m][half] + kTolerance;
      }
    }
    if (__any_sync(kAllLanes, rises)) {
#pragma unroll
      for (int m = 0; m < kUsed; m++) raise(m, 0, largest[m][0]), raise(m, 1, largest[m][1]);
    }
    Fragment weights[kUsed];
#pragma unroll
    for (int m = 0; m < kUsed; m++) {
#pragma unroll
      for (int i = 0; i < 8; i++) {
        float& score = scores[m][i / 4][i % 4];
        score = powerOfTwo(score * scale - peak[m][i % 4 / 2]);
        total[m][i % 4 / 2] += score;
      }
      roundToA(scores[m], weights[m]);
    }
#pragma unroll
    for (int k = 0; k < kWidth / 16; k++) {
      Fragment b;
      values.template rowsFirst<true>(b, row, k);
#pragma unroll
      for (int m = 0; m < kUsed; m++) {
        multiplyAdd(out[m][2 * k], weights[m], b[0], b[1]);
        multiplyAdd(out[m][2 * k + 1], weights[m], b[2], b[3]);
      }
    }
  }

  // `first` is the first query. logSumExp is that of the head.
  __device__ __forceinline__ void write(const MatrixRows& to, float* logSumExp, int first) const {
    const int lane = laneOfThread();
#pragma unroll
    for (int m = 0; m < kTiles; m++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int row = first + 16 * m + 8 * half + lane / 4;
        const float sum = sumOfFour(total[m][half]);
        writeRow<kWidth>(to, row, 0, out[m], half, 1.0f / sum);
        if (lane % 4 == 0 && row < to.rows) logSumExp[row] = (peak[m][half] + log2f(sum)) * kLogOf2;
      }
    }
  }
};

template <int kWidth>
__global__ __launch_bounds__(kForwardWarps* kWarp, forwardBlocksOf(kWidth)) void matrixForward(MatrixForwardTask t) {
  constexpr int kTiles = queryTilesOf(kWidth), kRows = 16 * kTiles;
  using Rows = Tile<kWidth>;
  const unsigned head = blockIdx.x / static_cast<unsigned>(t.groups);
  const int group = static_cast<int>(blockIdx.x % static_cast<unsigned>(t.groups));
  const int warp = warpOfThread(), lane = laneOfThread(), thread = static_cast<int>(threadIdx.x);
  const int threads = static_cast<int>(blockDim.x), warps = threads / kWarp;
  const int tokens = static_cast<int>(t.shape.tokens), chunks = (tokens + kKeysOfChunk - 1) / kKeysOfChunk;
  const Rows keys = {sharedAddress(sharedMemory<unsigned char>())}, values = keys.from(t.keyRows);
  const Rows mine = values.from(t.keyRows + warp * kRows);

  // Padded keys are zeros, because garbage could be NaN.
  const auto rowsOf = [&](int chunk) { return min(kKeysOfChunk, (tokens - chunk * kKeysOfChunk + 15) / 16 * 16); };
  const auto copyChunk = [&](int chunk) {
    const int row = chunk % t.stages * kKeysOfChunk, first = chunk * kKeysOfChunk;
    const MatrixRows keyRows = matrixRows(packedRows(t.shape, t.qkv, head, 1));
    const MatrixRows valueRows = matrixRows(packedRows(t.shape, t.qkv, head, 2));
    copyRows<kWidth>(keyRows, first, rowsOf(chunk), keys.from(row), thread, threads);
    copyRows<kWidth>(valueRows, first, rowsOf(chunk), values.from(row), thread, threads);
  };
  const auto copyQueries = [&](int first) {
    copyRows<kWidth>(matrixRows(packedRows(t.shape, t.qkv, head, 0)), first, kRows, mine, lane, kWarp);
  };

  int tile = group * warps + warp, committed = 0;
  copyQueries(tile * kRows);
  for (; committed < min(t.stages, chunks); committed++) {
    copyChunk(committed);
    commitCopies();
  }
  for (int round = 0; round < t.rounds; round++) {
    const int first = tile * kRows;
    tile += t.groups * warps;
    ForwardState<kWidth, kTiles> state;
    if (round > 0) {
      waitForCopies(0);
      __syncwarp();
      state.begin(mine);
    }
    for (int chunk = 0; chunk < chunks; chunk++) {
      if (round == 0) {
        waitForCopies(committed - 1 - chunk);
        __syncthreads();
        if (chunk == 0) state.begin(mine);
      }
      if (chunk == 0 && round + 1 < t.rounds) {
        __syncwarp();
        copyQueries(tile * kRows);
        commitCopies();
        committed++;
      }
      const int row = chunk % t.stages * kKeysOfChunk, rows = rowsOf(chunk);
      const int left = tokens - chunk * kKeysOfChunk;
      if (first + 16 < tokens && kTiles == 2) {
#pragma unroll 1
        for (int i = 0; i < rows; i += 16) state.template step<kTiles>(keys, values, row + i, left - i, t.scale);
      } else if (first < tokens) {
#pragma unroll 1
        for (int i = 0; i < rows; i += 16) state.template step<1>(keys, values, row + i, left - i, t.scale);
      }
      if (t.stages < chunks) {
        __syncthreads();
        if (chunk + t.stages < chunks) copyChunk(chunk + t.stages);
        commitCopies();
        committed++;
      }
    }
    if (first < tokens) {
      const MatrixRows out = matrixRows(plainRows(t.shape, t.out, head, false));
      state.write(out, t.logSumExp + head * t.shape.tokens, first);
    }
  }
}

// Depends on shape and GPU, and has no influence on results.
template <int kWidth> void launchMatrixForward(const Context& context, MatrixForwardTask t) {
  constexpr int kRows = 16 * queryTilesOf(kWidth);
  constexpr size_t kRowBytes = Tile<kWidth>::kRowBytes;
  const auto tokens = static_cast<int>(t.shape.tokens);
  const auto dividedBy = [](int count, int by) { return (count + by - 1) / by; };
  const int tiles = dividedBy(tokens, kRows), times = dividedBy(tiles, kForwardWarps), warps = dividedBy(tiles, times);
  const int chunks = dividedBy(tokens, kKeysOfChunk), padded = dividedBy(tokens, 16) * 16;
  const auto bytes = [&](int keyRows) { return static_cast<size_t>(2 * keyRows + warps * kRows) * kRowBytes; };
  // The system reserves 1 KB more for each block.
  const bool resident =
      chunks <= 2 || forwardBlocksOf(kWidth) * (bytes(padded) + 1024) <= context.device.sharedBytes() + 1024;
  t.stages = resident ? chunks : 2;
  t.keyRows = resident ? padded : t.stages * kKeysOfChunk;
  t.groups = resident ? 1 : times;
  t.rounds = resident ? times : 1;
  const size_t blocks = t.shape.images * t.shape.heads * static_cast<size_t>(t.groups);
  launch(context, matrixForward<kWidth>,
         Grid{static_cast<unsigned>(blocks), static_cast<unsigned>(warps * kWarp), bytes(t.keyRows)}, t);
}

}  // namespace vitrail::cuda::attention
