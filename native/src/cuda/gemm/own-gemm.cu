#include "own-gemm.h"

#include "finish.h"
#include "row-sums.h"

namespace vitrail::cuda {

namespace {

// A block's part of the result, and the depth of a step.
constexpr int kRows = 128, kColumns = 64, kDepth = 16;
// A thread's part.
constexpr int kThreadRows = 8, kThreadColumns = 4;
constexpr int kAcross = kColumns / kThreadColumns;
constexpr int kThreads = kRows / kThreadRows * kAcross;
// With this padding, rows in shared memory stay 16-byte aligned, and each begins four banks after the last
// one.
constexpr int kPad = 4;

// op(x) as [outer, depth], outer being the result's rows or columns.
struct Operand {
  Run run;
  // Elements from one matrix to the next.
  int64_t stride;
  int64_t outer, depth, lead;
  // Whether neighbours in memory are neighbours in depth.
  bool alongDepth;
  // Whether elements are rounded to bf16 before they are multiplied.
  bool rounded;
};

struct Task {
  Operand a, b;
  Finish finish;
  int64_t m, n, k, ldc, strideC, batch;
  int64_t tilesAcross;
};

// A thread's share of a step of an operand, on its way from global to shared memory: kRun neighbours of a tile that is
// kOuter wide.
template <int kOuter> struct Stage {
  static constexpr int kRun = kOuter * kDepth / kThreads;
  static constexpr int kStride = kOuter + kPad;
  float v[kRun];

  // The position of this thread's run within the tile.
  static __device__ __forceinline__ int outerOf(const Operand& from) {
    constexpr int kRunsDeep = kDepth / kRun, kRunsWide = kOuter / kRun;
    const int thread = static_cast<int>(threadIdx.x);
    return from.alongDepth ? thread / kRunsDeep : thread % kRunsWide * kRun;
  }
  static __device__ __forceinline__ int depthOf(const Operand& from) {
    constexpr int kRunsDeep = kDepth / kRun, kRunsWide = kOuter / kRun;
    const int thread = static_cast<int>(threadIdx.x);
    return from.alongDepth ? thread % kRunsDeep * kRun : thread / kRunsWide;
  }

  __device__ __forceinline__ void load(const Operand& from, int64_t matrix, int64_t outer0, int64_t depth0) {
    const int64_t outer = outer0 + outerOf(from), depth = depth0 + depthOf(from);
    const int64_t row = from.alongDepth ? outer : depth, column = from.alongDepth ? depth : outer;
    const int64_t rows = from.alongDepth ? from.outer : from.depth, columns = from.alongDepth ? from.depth : from.outer;
    // 0 beyond the matrix in both operands, so that their products add nothing.
    const int valid = row < rows ? static_cast<int>(max(min(columns - column, int64_t{kRun}), int64_t{0})) : 0;
    loadRun(from.run, static_cast<size_t>(matrix * from.stride + row * from.lead + column), valid, v);
    if (from.rounded) {
#pragma unroll
      for (float& x : v) x = widen(narrow(x));
    }
  }

  // tile: [kDepth][kStride]
  __device__ __forceinline__ void store(const Operand& from, float* tile) const {
    float* to = tile + depthOf(from) * kStride + outerOf(from);
    if (from.alongDepth) {
#pragma unroll
      for (int j = 0; j < kRun; j++) to[j * kStride] = v[j];
    } else {
#pragma unroll
      for (int j = 0; j < kRun; j += 4) {
        *reinterpret_cast<float4*>(to + j) = make_float4(v[j], v[j + 1], v[j + 2], v[j + 3]);
      }
    }
  }
};

// The shared memory of a block: two steps of both operands, and afterwards the sums.
struct Tiles {
  float a[2][kDepth * Stage<kRows>::kStride];
  float b[2][kDepth * Stage<kColumns>::kStride];
};
constexpr int kSumStride = kColumns + kPad;
union Shared {
  Tiles tiles;
  float sums[kRows * kSumStride];
};

// tileA: [kDepth][kRows + kPad], tileB: [kDepth][kColumns + kPad], both from this thread's part on.
__device__ __forceinline__ void multiplyStep(const float* tileA, const float* tileB,
                                             float (&sums)[kThreadRows][kThreadColumns]) {
#pragma unroll
  for (int depth = 0; depth < kDepth; depth++) {
    const float4* rows = reinterpret_cast<const float4*>(tileA + depth * Stage<kRows>::kStride);
    const float4 first = rows[0], second = rows[1];
    const float4 columns = *reinterpret_cast<const float4*>(tileB + depth * Stage<kColumns>::kStride);
    const float x[kThreadRows] = {first.x, first.y, first.z, first.w, second.x, second.y, second.z, second.w};
    const float y[kThreadColumns] = {columns.x, columns.y, columns.z, columns.w};
#pragma unroll
    for (int i = 0; i < kThreadRows; i++) {
#pragma unroll
      for (int j = 0; j < kThreadColumns; j++) sums[i][j] += x[i] * y[j];
    }
  }
}

// Computes the block's part of the result from its sums in shared memory.
__device__ __forceinline__ void finishTile(const Task& task, const float* sums, int64_t matrix, int64_t i0,
                                           int64_t j0) {
  constexpr int kRun = 8, kRunsAcross = kColumns / kRun;
#pragma unroll 1
  for (int run = static_cast<int>(threadIdx.x); run < kRows * kRunsAcross; run += kThreads) {
    const int down = run / kRunsAcross, across = run % kRunsAcross * kRun;
    const int64_t row = i0 + down, column = j0 + across;
    if (row >= task.m || column >= task.n) continue;
    float v[kRun];
#pragma unroll
    for (int j = 0; j < kRun; j++) v[j] = sums[down * kSumStride + across + j];
    finishRun(task.finish, static_cast<size_t>(matrix * task.strideC + row * task.ldc + column), row, column,
              static_cast<int>(min(task.n - column, int64_t{kRun})), v);
  }
}

__global__ void __launch_bounds__(kThreads, 2) gemmKernel(Task task) {
  __shared__ __align__(16) unsigned char memory[sizeof(Shared)];
  Shared& shared = *reinterpret_cast<Shared*>(memory);
  const int64_t i0 = int64_t{blockIdx.x} / task.tilesAcross * kRows;
  const int64_t j0 = int64_t{blockIdx.x} % task.tilesAcross * kColumns;
  const int down = static_cast<int>(threadIdx.x) / kAcross * kThreadRows;
  const int across = static_cast<int>(threadIdx.x) % kAcross * kThreadColumns;
  const int64_t steps = (task.k + kDepth - 1) / kDepth;
  for (int64_t matrix = blockIdx.y; matrix < task.batch; matrix += gridDim.y) {
    Tiles& tiles = shared.tiles;
    float sums[kThreadRows][kThreadColumns] = {};
    Stage<kRows> a = {};
    Stage<kColumns> b = {};
    // The operands of a step are loaded while those of the previous step are multiplied.
    for (int64_t step = -1; step < steps; step++) {
      const bool more = step + 1 < steps;
      if (more) {
        a.load(task.a, matrix, i0, (step + 1) * kDepth);
        b.load(task.b, matrix, j0, (step + 1) * kDepth);
      }
      if (step >= 0) multiplyStep(tiles.a[step % 2] + down, tiles.b[step % 2] + across, sums);
      if (more) {
        a.store(task.a, tiles.a[(step + 1) % 2]);
        b.store(task.b, tiles.b[(step + 1) % 2]);
      }
      __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < kThreadRows; i++) {
      float4* to = reinterpret_cast<float4*>(shared.sums + (down + i) * kSumStride + across);
      *to = make_float4(sums[i][0], sums[i][1], sums[i][2], sums[i][3]);
    }
    __syncthreads();
    finishTile(task, shared.sums, matrix, i0, j0);
    // Waits, because the next matrix overwrites the sums.
    __syncthreads();
  }
}

constexpr int64_t kMostInY = 65535;

}  // namespace

void ownGemm(const Context& context, const GemmTask& by) {
  Task task;
  task.a = {runOf(by.a, by.lda, by.strideA), by.strideA, by.m, by.k, by.lda, !by.transposeA, by.bf16 && !by.a.isBf16()};
  task.b = {runOf(by.b, by.ldb, by.strideB), by.strideB, by.n, by.k, by.ldb, by.transposeB, by.bf16 && !by.b.isBf16()};
  task.finish = finishOf(by);
  task.m = by.m, task.n = by.n, task.k = by.k, task.ldc = by.ldc, task.strideC = by.strideC, task.batch = by.batch;
  task.tilesAcross = (by.n + kColumns - 1) / kColumns;
  const int64_t tiles = task.tilesAcross * ((by.m + kRows - 1) / kRows);
  const dim3 blocks(static_cast<unsigned>(tiles), static_cast<unsigned>(min(by.batch, kMostInY)));
  launch(context, gemmKernel, {blocks, kThreads}, task);
  sumRowsOfA(context, by);
}

}  // namespace vitrail::cuda
