#include "row-sums.h"

#include "../run.h"
#include "../sums.h"

namespace vitrail::cuda {

namespace {

constexpr unsigned kWarps = 8;
// Neighbours that a thread takes at a time.
constexpr int kRun = 8;

// a is [rows, columns]: a warp sums a row.
__global__ void rowsKernel(Run a, int64_t rows, int64_t columns, int64_t lead, float* sums) {
  const int64_t row = int64_t{blockIdx.x} * kWarps + threadIdx.y;
  float total = 0;
  for (int64_t i = int64_t{threadIdx.x} * kRun; row < rows && i < columns; i += kWarp * kRun) {
    float v[kRun];
    loadRun(a, static_cast<size_t>(row * lead + i), static_cast<int>(min(columns - i, int64_t{kRun})), v);
    total += ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
  }
  total = warpSum(total);
  if (row < rows && threadIdx.x == 0) sums[row] = total;
}

constexpr int kColumns = kWarp * kRun;

// a is [rows, columns]: a block sums `share` rows of 256 columns, warp by warp, to partial[blockIdx.y, columns].
__global__ void columnsKernel(Run a, int64_t rows, int64_t columns, int64_t lead, int64_t share, float* partial) {
  float (*ofWarp)[kColumns] = reinterpret_cast<float (*)[kColumns]>(sharedMemory<float>());
  const int64_t column = int64_t{blockIdx.x} * kColumns + threadIdx.x * kRun;
  const int valid = static_cast<int>(max(min(columns - column, int64_t{kRun}), int64_t{0}));
  const int64_t first = blockIdx.y * share, end = min(first + share, rows);
  float total[kRun] = {};
#pragma unroll 4
  for (int64_t row = first + threadIdx.y; valid > 0 && row < end; row += kWarps) {
    float v[kRun];
    loadRun(a, static_cast<size_t>(row * lead + column), valid, v);
#pragma unroll
    for (int j = 0; j < kRun; j++) total[j] += v[j];
  }
#pragma unroll
  for (int j = 0; j < kRun; j++) ofWarp[threadIdx.y][threadIdx.x * kRun + j] = total[j];
  __syncthreads();
  const int mine = static_cast<int>(threadIdx.y * kWarp + threadIdx.x);
  const int64_t at = int64_t{blockIdx.x} * kColumns + mine;
  if (at >= columns) return;
  float sum = 0;
  for (unsigned warp = 0; warp < kWarps; warp++) sum += ofWarp[warp][mine];
  partial[blockIdx.y * columns + at] = sum;
}

// A block adds the parts of 32 columns. Each warp adds every eighth part, and then the totals of warps are
// added in order.
__global__ void totalKernel(const float* partial, int64_t parts, int64_t columns, float* sums) {
  __shared__ float ofWarp[kWarps][kWarp];
  const int64_t column = int64_t{blockIdx.x} * kWarp + threadIdx.x;
  float total = 0;
#pragma unroll 4
  for (int64_t part = threadIdx.y; part < parts; part += kWarps) {
    total += column < columns ? partial[part * columns + column] : 0.0f;
  }
  ofWarp[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y != 0 || column >= columns) return;
  float sum = 0;
  for (unsigned warp = 0; warp < kWarps; warp++) sum += ofWarp[warp][threadIdx.x];
  sums[column] = sum;
}

// The fewest rows that a block of columnsKernel sums, and the most blocks that share the rows.
constexpr int64_t kLeastShare = 256;
constexpr int64_t kMostParts = 256;

void sumColumns(const Context& context, const Run& a, int64_t rows, int64_t columns, int64_t lead, float* sums) {
  const int64_t parts = max(min((rows + kLeastShare - 1) / kLeastShare, kMostParts), int64_t{1});
  const int64_t share = (rows + parts - 1) / parts;
  const dim3 threads(kWarp, kWarps);
  const size_t shared = sizeof(float) * kWarps * kColumns;
  const unsigned across = blocksFor(static_cast<size_t>(columns), kColumns);
  if (parts == 1) {
    launch(context, columnsKernel, {dim3(across), threads, shared}, a, rows, columns, lead, share, sums);
    return;
  }
  Scratch partial(context.memory, sizeof(float) * static_cast<size_t>(parts * columns));
  launch(context, columnsKernel, {dim3(across, static_cast<unsigned>(parts)), threads, shared}, a, rows, columns, lead,
         share, partial.as<float>());
  launch(context, totalKernel, {blocksFor(static_cast<size_t>(columns), kWarp), threads}, partial.as<float>(), parts,
         columns, sums);
}

}  // namespace

void sumRowsOfA(const Context& context, const GemmTask& task) {
  if (task.rowSumsOfA == nullptr) return;
  const Run a = runOf(task.a, task.lda);
  if (task.transposeA) {
    sumColumns(context, a, task.k, task.m, task.lda, task.rowSumsOfA);
  } else {
    const unsigned blocks = blocksFor(static_cast<size_t>(task.m), kWarps);
    launch(context, rowsKernel, {blocks, dim3(kWarp, kWarps)}, a, task.m, task.k, task.lda, task.rowSumsOfA);
  }
}

}  // namespace vitrail::cuda
