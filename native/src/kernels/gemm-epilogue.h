// The operations after a gemm, done while its rows are still in the cache.
#pragma once
#include "gelu.h"
#include "gemm-words.h"
#include "gemm.h"
#include "philox.h"

namespace vitrail::VITRAIL_VARIANT {

// Whether the inner loop itself can write the result, because it only has to add.
inline bool isDirect(const GemmTask& task) {
  return task.alpha == 1 && task.activation == Activation::none && !task.preActivation && !task.residual &&
         !task.dropout.active() && !(task.accumulate && task.c.isBf16());
}

template <bool kDrops> struct Masks;
template <> struct Masks<false> {
  Masks(const DropoutKey&, uint64_t) {}
  VITRAIL_INLINE Floats applied(Floats v, int64_t) { return v; }
};
template <> struct Masks<true> {
  DropoutBits bits;
  Masks(const DropoutKey& key, uint64_t first) : bits(key, first) {}
  VITRAIL_INLINE Floats applied(Floats v, int64_t count) {
    return v * bits.next(static_cast<int>(count < kLanes ? count : kLanes));
  }
};

template <bool kBf16, Activation kActivation, bool kDrops>
void finishRowBy(const GemmTask& task, int64_t first, int64_t row, int64_t j0, int64_t j1, const float* sums) {
  // The compiler cannot know that stores do not change the task, so everything that the loop needs is copied
  // out of it.
  const float alpha = task.alpha;
  const float* bias = task.bias;
  void *c = task.c.data, *pre = task.preActivation.data;
  const void* added = task.accumulate ? task.c.data : task.residual.data;
  Masks<kDrops> masks(task.dropout, static_cast<uint64_t>(row * task.n + j0));
  for (int64_t j = j0; j < j1; j += kLanes) {
    const int64_t at = first + j, left = j1 - j;
    Floats y = loadFloats(sums + (j - j0), left) * alpha;
    if (bias != nullptr) y += loadFloats(bias + j, left);
    if (pre != nullptr) storeElements<kBf16>(pre, at, y, left);
    if constexpr (kActivation == Activation::geluTanh) y = geluTanh(y).value;
    if constexpr (kActivation == Activation::geluErf) y = geluErf(y).value;
    y = masks.applied(y, left);
    if (added != nullptr) y += loadElements<kBf16>(added, at, left);
    storeElements<kBf16>(c, at, y, left);
  }
}

using RowFinish = void (*)(const GemmTask&, int64_t first, int64_t row, int64_t j0, int64_t j1, const float* sums);

template <bool kBf16, bool kDrops> RowFinish rowFinishBy(Activation activation) {
  switch (activation) {
    case Activation::geluTanh: return finishRowBy<kBf16, Activation::geluTanh, kDrops>;
    case Activation::geluErf: return finishRowBy<kBf16, Activation::geluErf, kDrops>;
    default: return finishRowBy<kBf16, Activation::none, kDrops>;
  }
}

// Computes columns j0 to j1 of row `row` of the result from its sums. The row begins at element `first` of c.
inline RowFinish rowFinish(const GemmTask& task) {
  const bool drops = task.dropout.active();
  if (task.c.isBf16())
    return drops ? rowFinishBy<true, true>(task.activation) : rowFinishBy<true, false>(task.activation);
  return drops ? rowFinishBy<false, true>(task.activation) : rowFinishBy<false, false>(task.activation);
}

}  // namespace vitrail::VITRAIL_VARIANT
