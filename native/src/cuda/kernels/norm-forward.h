// y of layer normalisation. Memory is the limit, so x is read only once if its rows fit into registers. The
// statistics take two passes over the registers (the mean, then deviations from it), each summed over the warp
// by shuffles.
#pragma once
#include "../../kernels/norm.h"
#include "norm-row.h"

namespace vitrail::cuda {

namespace {

struct Statistics {
  float* mean;
  float* rstd;
  // Whether the statistics are known. If not, they are computed and written.
  bool areKnown;
  float epsilon;
};

__device__ __forceinline__ float rstdOf(float squares, float width, float epsilon) {
  return 1.0f / sqrtf(squares / width + epsilon);
}

// Uses explicit multiply-adds, so that every kernel that writes y gives the same bits.
__device__ __forceinline__ float normalised(float x, float mean, float rstd, float scale, float shift) {
  return fmaf((x - mean) * rstd, scale, shift);
}

// The forward pass, and the same again from known statistics.
template <int kSpans, bool kBf16> __global__ void __launch_bounds__(kNormThreads)
    normForwardKernel(NormShape shape, Elements<kBf16> x, Elements<kBf16> y, const float* scale, const float* shift,
                      Statistics statistics) {
  const size_t row = size_t{blockIdx.x} * kNormWarps + threadIdx.x / kWarp;
  if (row >= shape.rows) return;
  const size_t from = row * shape.stride, to = row * shape.width;
  PackedGroup<kBf16> v[kSpans] = {};
  eachSpan<kSpans>(shape.width, [&](int k, size_t at) { v[k] = PackedGroup<kBf16>::load(x, from + at); });
  float mean, rstd;
  if (statistics.areKnown) {
    mean = statistics.mean[row], rstd = statistics.rstd[row];
  } else {
    const float width = static_cast<float>(shape.width);
    float sum = 0, squares = 0;
    eachSpan<kSpans>(shape.width, [&](int k, size_t) {
      for (int j = 0; j < kGroup; j++) sum += v[k][j];
    });
    mean = warpSum(sum) / width;
    eachSpan<kSpans>(shape.width, [&](int k, size_t) {
      for (int j = 0; j < kGroup; j++) squares += (v[k][j] - mean) * (v[k][j] - mean);
    });
    rstd = rstdOf(warpSum(squares), width, statistics.epsilon);
    if (threadIdx.x % kWarp == 0) statistics.mean[row] = mean, statistics.rstd[row] = rstd;
  }
  eachSpan<kSpans>(shape.width, [&](int k, size_t at) {
    float scales[kGroup], shifts[kGroup], values[kGroup];
    loadColumns(scale, at, scales);
    loadColumns(shift, at, shifts);
    for (int j = 0; j < kGroup; j++) values[j] = normalised(v[k][j], mean, rstd, scales[j], shifts[j]);
    PackedGroup<kBf16>::of(values).store(y, to + at);
  });
}

// The same for any width: a warp reads the row from memory in each pass.
__global__ void normForwardAnyKernel(NormShape shape, Run x, Run y, const float* scale, const float* shift,
                                     Statistics statistics) {
  const size_t row = size_t{blockIdx.x} * kNormWarps + threadIdx.x / kWarp;
  if (row >= shape.rows) return;
  const size_t lane = threadIdx.x % kWarp, from = row * shape.stride, to = row * shape.width;
  float mean, rstd;
  if (statistics.areKnown) {
    mean = statistics.mean[row], rstd = statistics.rstd[row];
  } else {
    const float width = static_cast<float>(shape.width);
    float sum = 0, squares = 0;
    for (size_t i = lane; i < shape.width; i += kWarp) sum += x.at(from + i);
    mean = warpSum(sum) / width;
    for (size_t i = lane; i < shape.width; i += kWarp) {
      const float centred = x.at(from + i) - mean;
      squares += centred * centred;
    }
    rstd = rstdOf(warpSum(squares), width, statistics.epsilon);
    if (lane == 0) statistics.mean[row] = mean, statistics.rstd[row] = rstd;
  }
  for (size_t i = lane; i < shape.width; i += kWarp) {
    y.set(to + i, normalised(x.at(from + i), mean, rstd, scale[i], shift[i]));
  }
}

}  // namespace

}  // namespace vitrail::cuda
