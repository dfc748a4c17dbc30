// Gradients of layer normalisation in one pass over x, dy and the residual.
// A block has a range of rows, and its warps take turns. dScale and dShift are sums over rows: each lane adds up its
// columns of the rows of its warp, the block adds up its warps, and normSumKernel adds up the blocks. How rows are
// divided depends only on their number, so the sums have the same bits on every GPU.
#pragma once
#include "../../kernels/norm.h"
#include "norm-row.h"

namespace vitrail::cuda {

namespace {

// Rows [start, end) of a block.
struct Range {
  size_t start, end;
};
__device__ __forceinline__ Range rowsOfBlock(size_t rows) {
  return {blockIdx.x * rows / gridDim.x, (blockIdx.x + size_t{1}) * rows / gridDim.x};
}

// With g = dy scale and n the normalised row: dx = residual + rstd (g - mean(g) - n mean(g n)).
struct RowGradient {
  float mean, rstd, meanOfG, meanOfProducts;

  __device__ __forceinline__ float n(float x) const { return (x - mean) * rstd; }
  __device__ __forceinline__ float dx(float x, float g) const { return (g - meanOfG - n(x) * meanOfProducts) * rstd; }
};

// Backward of the rows of a block; its sums go to partial[block][2][kSpans][8][32]: column (32 k + lane) 8 + j of
// dScale, or dShift, is at [k][j][lane], so that neither shared memory nor memory is met in strides.
template <int kSpans, bool kBf16> __global__ void __launch_bounds__(kNormThreads)
    normBackwardKernel(NormShape shape, Elements<kBf16> x, Elements<kBf16> dy, const float* scale, const float* mean,
                       const float* rstd, Elements<kBf16> residual, Elements<kBf16> dx, float* partial) {
  const unsigned lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const float width = static_cast<float>(shape.width);
  float dScale[kSpans][kGroup] = {}, dShift[kSpans][kGroup] = {};
  const Range range = rowsOfBlock(shape.rows);
  for (size_t row = range.start + warp; row < range.end; row += kNormWarps) {
    const size_t from = row * shape.stride, given = row * shape.width;
    PackedGroup<kBf16> xs[kSpans] = {}, dys[kSpans] = {}, residuals[kSpans] = {};
    eachSpan<kSpans>(shape.width, [&](int k, size_t at) {
      xs[k] = PackedGroup<kBf16>::load(x, from + at);
      dys[k] = PackedGroup<kBf16>::load(dy, given + at);
      // Loaded long before it is needed, because the sums below take a while.
      if (residual.data) residuals[k] = PackedGroup<kBf16>::load(residual, from + at);
    });
    RowGradient r = {mean[row], rstd[row], 0, 0};
    float sum = 0, products = 0;
    eachSpan<kSpans>(shape.width, [&](int k, size_t at) {
      float scales[kGroup];
      loadColumns(scale, at, scales);
      for (int j = 0; j < kGroup; j++) {
        const float d = dys[k][j], n = r.n(xs[k][j]), g = d * scales[j];
        sum += g;
        products += g * n;
        dScale[k][j] += d * n;
        dShift[k][j] += d;
      }
    });
    r.meanOfG = warpSum(sum) / width;
    r.meanOfProducts = warpSum(products) / width;
    eachSpan<kSpans>(shape.width, [&](int k, size_t at) {
      float scales[kGroup], values[kGroup];
      loadColumns(scale, at, scales);
      for (int j = 0; j < kGroup; j++) {
        values[j] = r.dx(xs[k][j], dys[k][j] * scales[j]);
        if (residual.data) values[j] += residuals[k][j];
      }
      PackedGroup<kBf16>::of(values).store(dx, from + at);
    });
  }
  __shared__ float sums[2][kSpans][kGroup][kWarp];
  for (unsigned turn = 0; turn < kNormWarps; turn++) {
    if (warp == turn) {
#pragma unroll
      for (int k = 0; k < kSpans; k++) {
#pragma unroll
        for (int j = 0; j < kGroup; j++) {
          sums[0][k][j][lane] = turn == 0 ? dScale[k][j] : sums[0][k][j][lane] + dScale[k][j];
          sums[1][k][j][lane] = turn == 0 ? dShift[k][j] : sums[1][k][j][lane] + dShift[k][j];
        }
      }
    }
    __syncthreads();
  }
  constexpr size_t kSums = 2 * kSpans * kSpan;
  const float* all = &sums[0][0][0][0];
  for (size_t i = threadIdx.x; i < kSums; i += kNormThreads) partial[blockIdx.x * kSums + i] = all[i];
}

// The same for any width. The block has one row at a time, and its sums are in partial[block][2][space],
// column by column.
__global__ void normBackwardAnyKernel(NormShape shape, Run x, Run dy, const float* scale, const float* mean,
                                      const float* rstd, Run residual, Run dx, float* partial, size_t space) {
  __shared__ float warpSums[2][kMostWarps];
  const float width = static_cast<float>(shape.width);
  float* dScale = partial + blockIdx.x * 2 * space;
  float* dShift = dScale + space;
  for (size_t i = threadIdx.x; i < space; i += blockDim.x) dScale[i] = dShift[i] = 0;
  const Range range = rowsOfBlock(shape.rows);
  for (size_t row = range.start; row < range.end; row++) {
    const size_t from = row * shape.stride, given = row * shape.width;
    RowGradient r = {mean[row], rstd[row], 0, 0};
    float sum = 0, products = 0;
    for (size_t i = threadIdx.x; i < shape.width; i += blockDim.x) {
      const float d = dy.at(given + i), n = r.n(x.at(from + i)), g = d * scale[i];
      sum += g;
      products += g * n;
      dScale[i] += d * n;
      dShift[i] += d;
    }
    r.meanOfG = blockSum(sum, warpSums[0]) / width;
    r.meanOfProducts = blockSum(products, warpSums[1]) / width;
    for (size_t i = threadIdx.x; i < shape.width; i += blockDim.x) {
      const float gradient = r.dx(x.at(from + i), dy.at(given + i) * scale[i]);
      dx.set(from + i, residual.data ? residual.at(from + i) + gradient : gradient);
    }
  }
}

// Adds up partial[count][2][space]. A block has 32 columns, and row y of its threads adds every 32nd of their
// values.
__global__ __launch_bounds__(kWarp* kWarp) void normSumKernel(const float* partial, size_t count, size_t space,
                                                              size_t width, bool inGroups, float* dScale,
                                                              float* dShift) {
  __shared__ float sums[kWarp][kWarp + 1];
  const size_t start = size_t{blockIdx.x} * kWarp;
  float sum = 0;
#pragma unroll 8
  for (size_t i = threadIdx.y; i < count; i += kWarp) sum += partial[i * 2 * space + start + threadIdx.x];
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  const float total = warpSum(sums[threadIdx.x][threadIdx.y]);
  if (threadIdx.x != 0) return;
  const size_t place = start + threadIdx.y, at = place % space;
  const size_t inOrder = at / kSpan * kSpan + at % kWarp * kGroup + at / kWarp % kGroup;
  const size_t column = inGroups ? inOrder : at;
  if (column < width) (place < space ? dScale : dShift)[column] = total;
}

}  // namespace

}  // namespace vitrail::cuda
