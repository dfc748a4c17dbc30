// Truncates floats to integers as ECMAScript's ToInt32 does: modulo 2^32, 0 for NaN and infinities.
#pragma once
#include <cstring>

#include "../../launch.h"

namespace vitrail::cuda {

__device__ __forceinline__ int32_t toWhole(int32_t value) { return value; }

__device__ __forceinline__ int32_t toWhole(double value) {
  if (value > -2147483649.0 && value < 2147483648.0) return static_cast<int32_t>(value);
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  // Larger floats are integers, significand x 2^shift.
  const int shift = static_cast<int>(bits >> 52 & 0x7ff) - 1075;
  const uint64_t significand = (bits & 0x000fffffffffffff) | uint64_t{1} << 52;
  // From 2^32 on the lower word is 0; NaN and infinities have the highest of all exponents.
  if (shift >= 32) return 0;
  const auto word = static_cast<uint32_t>(shift >= 0 ? significand << shift : significand >> -shift);
  return static_cast<int32_t>(bits >> 63 != 0 ? 0 - word : word);
}

}  // namespace vitrail::cuda
