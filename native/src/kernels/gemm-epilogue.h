// What follows a matrix product, while its rows are in the cache.
#pragma once
#include "gelu.h"
#include "gemm-pack.h"
#include "gemm.h"
#include "philox.h"

namespace vitrail::VITRAIL_VARIANT {

// Nothing is left to do when the sums are in c.
inline bool isPlain(const GemmTask& task) {
  return !task.c.isBf16() && task.alpha == 1 && task.bias == nullptr && task.activation == Activation::none &&
         !task.preActivation && !task.residual && !task.dropout.active();
}

VITRAIL_INLINE Floats loadElements(const Array& from, int64_t at, int64_t count) {
  return from.isBf16() ? widen(loadHalves(from.bf16() + at, count)) : loadFloats(from.f32() + at, count);
}

VITRAIL_INLINE void storeElements(const Array& to, int64_t at, Floats v, int64_t count) {
  if (to.isBf16()) {
    const Halves h = narrowFast(v);
    const int64_t stored = count < kLanes ? count : kLanes;
    if (stored == kLanes) memcpy(to.bf16() + at, &h, sizeof h);
    else memcpy(to.bf16() + at, &h, static_cast<size_t>(stored) * sizeof(uint16_t));
  } else if (count >= kLanes) {
    store(to.f32() + at, v);
  } else {
    storeSome(to.f32() + at, v, static_cast<size_t>(count));
  }
}

template <bool kDrops>
void finishRowBy(const GemmTask& task, int64_t first, int64_t j0, int64_t j1, const float* sums, DropoutBits* bits) {
  for (int64_t j = j0; j < j1; j += kLanes) {
    const int64_t at = first + j, left = j1 - j;
    Floats y = loadFloats(sums + (j - j0), left) * task.alpha;
    if (task.accumulate) {
      storeElements(task.c, at, loadElements(task.c, at, left) + y, left);
      continue;
    }
    if (task.bias != nullptr) y += loadFloats(task.bias + j, left);
    if (task.preActivation) storeElements(task.preActivation, at, y, left);
    if (task.activation == Activation::geluTanh) y = geluTanh(y).value;
    else if (task.activation == Activation::geluErf) y = geluErf(y).value;
    if constexpr (kDrops) y *= bits->next(static_cast<int>(left < kLanes ? left : kLanes));
    if (task.residual) y += loadElements(task.residual, at, left);
    storeElements(task.c, at, y, left);
  }
}

// Row `row` of the result, columns j0 to j1, from its sums; `offset` is where the matrix begins in c.
inline void finishRow(const GemmTask& task, int64_t offset, int64_t row, int64_t j0, int64_t j1, const float* sums) {
  const int64_t first = offset + row * task.ldc;
  if (task.dropout.active()) {
    DropoutBits bits(task.dropout, static_cast<uint64_t>(row * task.n + j0));
    finishRowBy<true>(task, first, j0, j1, sums, &bits);
  } else {
    finishRowBy<false>(task, first, j0, j1, sums, nullptr);
  }
}

}  // namespace vitrail::VITRAIL_VARIANT
