// x^y with the special cases of ECMAScript's exponentiation.
#pragma once
#include "../variant.h"

namespace vitrail::VITRAIL_VARIANT {

// ln x for normal x > 0, relative error 1e-13.
VITRAIL_INLINE double logarithmOf(double x) {
  int64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  // x = 2^exponent m with m in [sqrt(1/2), sqrt 2).
  const int64_t shifted = bits - 0x3fe6a09e667f3bcd;
  const int64_t mantissa = (shifted & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd;
  double m;
  __builtin_memcpy(&m, &mantissa, sizeof m);
  const double s = (m - 1) / (m + 1), z = s * s;
  double p = 1.0 / 17;
  for (int n = 15; n > 0; n -= 2) p = p * z + 1.0 / n;
  return static_cast<double>(shifted >> 52) * 0.6931471805599453 + 2 * s * p;
}

// e^t for |t| < 700, relative error 1e-13.
VITRAIL_INLINE double exponentialOf(double t) {
  // 1.5 x 2^52: adding it rounds to whole numbers.
  constexpr double kRounder = 6755399441055744.0;
  const double shifted = t * 1.4426950408889634 + kRounder;
  const double n = shifted - kRounder;
  const double r = (t - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double p = 1;
  for (int k = 13; k > 0; k--) p = p * r * (1.0 / k) + 1;
  int64_t whole;
  __builtin_memcpy(&whole, &shifted, sizeof whole);
  const int64_t bits = (whole - 0x4338000000000000 + 1023) << 52;
  double scale;
  __builtin_memcpy(&scale, &bits, sizeof scale);
  return p * scale;
}

inline float power(float x, float y) {
  constexpr float kInfinity = __builtin_inff();
  if (y == 0) return 1;
  if (x != x || y != y) return x + y;
  const float size = __builtin_fabsf(x);
  if (__builtin_fabsf(y) == kInfinity) {
    if (size == 1) return __builtin_nanf("");
    return (size > 1) == (y > 0) ? kInfinity : 0;
  }
  const bool whole = __builtin_fabsf(y) >= 8388608.0f || static_cast<float>(static_cast<int32_t>(y)) == y;
  const bool odd = whole && __builtin_fabsf(y) < 16777216.0f && (static_cast<int32_t>(y) & 1) != 0;
  const bool negative = __builtin_signbitf(x) && odd;
  if (size == 0 || size == kInfinity) {
    const float result = (size == 0) == (y > 0) ? 0 : kInfinity;
    return negative ? -result : result;
  }
  if (x < 0 && !whole) return __builtin_nanf("");
  const double exponent = y * logarithmOf(size);
  // Beyond these the float is 0 or infinite.
  const double held = exponent > 200 ? 200 : exponent < -200 ? -200 : exponent;
  const float result = static_cast<float>(exponentialOf(held));
  return negative ? -result : result;
}

// Modulo 2^32. A negative exponent gives the truncated fraction.
inline int32_t power(int32_t x, int32_t y) {
  if (y < 0) return x == 1 ? 1 : x == -1 ? ((y & 1) != 0 ? -1 : 1) : 0;
  uint32_t result = 1, base = static_cast<uint32_t>(x);
  for (uint32_t rest = static_cast<uint32_t>(y); rest > 0; rest >>= 1) {
    if (rest & 1) result *= base;
    base *= base;
  }
  return static_cast<int32_t>(result);
}

}  // namespace vitrail::VITRAIL_VARIANT
