// Gives rows of f32 or bf16 as rows of floats, so that functions on rows are written only once.
#pragma once
#include "../base/tensor.h"
#include "vector.h"

namespace vitrail::VITRAIL_VARIANT {

// Calls step(at, count) for each vector of a row; all but the last have kLanes elements.
template <typename Step> VITRAIL_INLINE void eachVectorOfRow(size_t width, const Step& step) {
  size_t at = 0;
  for (; at + kLanes <= width; at += kLanes) step(at, static_cast<size_t>(kLanes));
  if (at < width) step(at, width - at);
}

VITRAIL_INLINE Floats loadUpTo(const float* from, size_t count) {
  return count == kLanes ? load(from) : loadSome(from, count);
}
VITRAIL_INLINE void storeUpTo(float* to, Floats v, size_t count) {
  if (count == kLanes) store(to, v);
  else storeSome(to, v, count);
}

// All bits set in the first `count` lanes.
VITRAIL_INLINE Ints firstLanes(size_t count) {
  Ints lanes;
  for (int i = 0; i < kLanes; i++) lanes[i] = i;
  return lanes < splatInt(static_cast<int32_t>(count));
}

// The row from element `at` on: in place if it is f32, else widened into `space`.
inline const float* readRow(const Array& x, size_t at, size_t width, float* space) {
  if (!x.isBf16()) return x.f32() + at;
  const uint16_t* from = x.bf16() + at;
  eachVectorOfRow(width, [&](size_t i, size_t count) {
    if (count == kLanes) store(space + i, loadBf16(from + i));
    else storeSome(space + i, loadSomeBf16(from + i, count), count);
  });
  return space;
}

// The memory to write a row to before finishRow.
inline float* rowToWrite(const Array& y, size_t at, float* space) { return y.isBf16() ? space : y.f32() + at; }

inline void finishRow(const Array& y, size_t at, size_t width, const float* written) {
  if (!y.isBf16()) return;
  uint16_t* to = y.bf16() + at;
  eachVectorOfRow(width, [&](size_t i, size_t count) {
    if (count == kLanes) storeBf16(to + i, load(written + i));
    else storeSomeBf16(to + i, loadSome(written + i, count), count);
  });
}

// The sum of value(at, count) over a row, without lanes from `count` on. The order depends only on the width.
template <typename Value> VITRAIL_INLINE float sumOverRow(size_t width, const Value& value) {
  Floats sums[4] = {};
  size_t at = 0;
  for (; at + 4 * kLanes <= width; at += 4 * kLanes) {
    for (size_t i = 0; i < 4; i++) sums[i] += value(at + i * kLanes, static_cast<size_t>(kLanes));
  }
  for (; at + kLanes <= width; at += kLanes) sums[0] += value(at, static_cast<size_t>(kLanes));
  if (at < width) sums[1] += select(firstLanes(width - at), value(at, width - at), splat(0));
  return sumOfLanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}  // namespace vitrail::VITRAIL_VARIANT
