// The operations after a gemm, for neighbours of one row. They are part of our own gemm kernel, and a separate
// pass after a gemm of the library.
#pragma once
#include "../../kernels/gemm.h"
#include "../gelu.h"
#include "../run.h"

namespace vitrail::cuda {

// y = alpha sum + bias; pre = y; c = added + dropout(activation(y)). Pointers are null for operands that are
// missing.
struct Finish {
  Run c;
  Run pre;
  Run added;
  const float* bias = nullptr;
  float alpha = 1;
  Activation activation = Activation::none;
  DropoutKey dropout;
  // Columns of the dense matrix whose elements the dropout counts.
  int64_t columns = 0;
};

// Everything that the task asks for after its sums.
inline Finish finishOf(const GemmTask& task) {
  Finish finish;
  finish.c = runOf(task.c, task.ldc, task.strideC);
  if (task.preActivation) finish.pre = runOf(task.preActivation, task.ldc, task.strideC);
  if (task.accumulate) finish.added = finish.c;
  else if (task.residual) finish.added = runOf(task.residual, task.ldc, task.strideC);
  finish.bias = task.bias;
  finish.alpha = task.alpha;
  finish.activation = task.activation;
  finish.dropout = task.dropout;
  finish.columns = task.n;
  return finish;
}

// Multiplies neighbours, of which the first is element `first` of the dense matrix, by their masks. It
// multiplies rather than selects, so that NaN and infinities that are dropped become NaN.
template <int kCount>
__device__ __forceinline__ void applyDropout(const DropoutKey& key, size_t first, float (&v)[kCount]) {
  size_t group = first / kGroup;
  uint32_t words[4];
  philoxBlock(static_cast<uint32_t>(group), key, words);
#pragma unroll
  for (int j = 0; j < kCount; j++) {
    const size_t element = first + j;
    if (element / kGroup != group) {
      group = element / kGroup;
      philoxBlock(static_cast<uint32_t>(group), key, words);
    }
    const int at = static_cast<int>(element % kGroup);
    // Selects between words, because an array with an index that is not constant would be in memory.
    const uint32_t word = at < 4 ? (at < 2 ? words[0] : words[1]) : (at < 6 ? words[2] : words[3]);
    const uint32_t random = word >> (at % 2 * 16) & 0xffff;
    v[j] *= random >= key.dropBelow ? key.kept : 0.0f;
  }
}

// Sums of the columns from `column` of row `row`, of which `valid` exist; they lie at element `at` of c.
template <int kCount> __device__ __forceinline__ void finishRun(const Finish& finish, size_t at, int64_t row,
                                                                int64_t column, int valid, float (&v)[kCount]) {
#pragma unroll
  for (int j = 0; j < kCount; j++) {
    v[j] *= finish.alpha;
    if (finish.bias != nullptr && j < valid) v[j] += finish.bias[column + j];
  }
  if (finish.pre.data != nullptr) storeRun(finish.pre, at, valid, v);
  if (finish.activation == Activation::geluTanh) {
#pragma unroll
    for (float& y : v) y = geluTanh(y).value;
  } else if (finish.activation == Activation::geluErf) {
#pragma unroll
    for (float& y : v) y = geluErf(y).value;
  }
  if (finish.dropout.active()) applyDropout(finish.dropout, static_cast<size_t>(row * finish.columns + column), v);
  if (finish.added.data != nullptr) {
    float more[kCount];
    loadRun(finish.added, at, valid, more);
#pragma unroll
    for (int j = 0; j < kCount; j++) v[j] += more[j];
  }
  storeRun(finish.c, at, valid, v);
}

}  // namespace vitrail::cuda
