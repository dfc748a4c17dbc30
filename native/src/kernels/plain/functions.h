// Elementary functions of vectors of floats besides those of math.h, to about 2 units in the last place.
#pragma once
#include "../math.h"

namespace vitrail::VITRAIL_VARIANT {

VITRAIL_INLINE Floats magnitude(Floats x) { return (Floats)((Ints)x & 0x7fffffff); }
// The magnitude of one and the sign of the other, also for zeros and NaN.
VITRAIL_INLINE Floats withSign(Floats size, Floats sign) {
  return (Floats)(((Ints)size & 0x7fffffff) | ((Ints)sign & splatInt(INT32_MIN)));
}

VITRAIL_INLINE Floats squareRoot(Floats x) {
#if VITRAIL_VECTOR_BYTES == 64
  return (Floats)_mm512_sqrt_ps((__m512)x);
#elif VITRAIL_VECTOR_BYTES == 32
  return (Floats)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
  return (Floats)_mm_sqrt_ps((__m128)x);
#else
  for (int i = 0; i < kLanes; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

// Rounds to integers, halves to even. From 2^23 on, floats have no fractions.
VITRAIL_INLINE Floats nearest(Floats x) {
  const Floats size = magnitude(x);
  const Floats rounded = withSign((size + 8388608.0f) - 8388608.0f, x);
  return select(size < 8388608.0f, rounded, x);
}
VITRAIL_INLINE Floats floorOf(Floats x) {
  const Floats rounded = nearest(x);
  return select(rounded > x, rounded - 1.0f, rounded);
}
// The sign is kept: the ceiling of -0.5 is -0.
VITRAIL_INLINE Floats ceilingOf(Floats x) {
  const Floats rounded = nearest(x);
  return select(rounded < x, withSign(rounded + 1.0f, x), rounded);
}

// ln x; -infinity at 0, NaN below.
VITRAIL_INLINE Floats logarithm(Floats x) {
  constexpr float kHigh = 0.693359375f, kLow = -2.12194440e-4f;
  // Subnormal numbers are multiplied by 2^25 first.
  const Ints tiny = x < 1.17549435e-38f;
  const Floats normal = select(tiny, x * 33554432.0f, x);
  // x = 2^exponent m with m in [sqrt(1/2), sqrt 2). Unsigned, because the bits of negative numbers would
  // overflow. (Their result is NaN anyway.)
  const Ints shifted = (Ints)((Words)normal - 0x3f3504f3u);
  const Floats exponent = __builtin_convertvector((shifted >> 23) - (tiny & splatInt(25)), Floats);
  const Floats f = (Floats)((shifted & 0x007fffff) + splatInt(0x3f3504f3)) - 1.0f;
  // ln(1 + f) = f - f^2/2 + s (f^2/2 + R), s = f / (2 + f), R from the series of 2 artanh s: the form of FDLIBM.
  const Floats s = f / (f + 2.0f);
  const Floats z = s * s;
  Floats r = z * 0.181818182f + 0.222222222f;
  r = r * z + 0.285714286f;
  r = r * z + 0.4f;
  r = r * z + 0.666666667f;
  r = r * z;
  const Floats half = f * f * 0.5f;
  const Floats value = exponent * kHigh + (f - (half - (s * (half + r) + exponent * kLow)));
  Floats y = select(x == 0.0f, splat(-__builtin_inff()), value);
  y = select(x < 0.0f, splat(__builtin_nanf("")), y);
  // Infinity and NaN stay.
  return select(x < __builtin_inff(), y, x);
}

// The relative error is small near 0 too.
VITRAIL_INLINE Floats tangens(Floats x) {
  const Floats size = magnitude(x);
  // Five levels of Lambert's continued fraction: relative error 1e-9 below 0.625.
  const Floats z = x * x;
  const Floats near = x * ((z + 105.0f) * z + 945.0f) / ((z * 15.0f + 420.0f) * z + 945.0f);
  const Floats far = 1.0f - 2.0f / (exponential(size * 2.0f) + 1.0f);
  const Floats y = select(size < 0.625f, near, withSign(far, x));
  return select(x == x, y, x);
}

VITRAIL_INLINE Floats errorFunction(Floats x) {
  const Floats size = magnitude(x);
  // The Taylor series, 10 terms: relative error 2e-9 below 0.9.
  const Floats z = x * x;
  Floats p = z * -1.63516e-7f + 1.64615e-6f;
  p = p * z + -1.49256509e-5f;
  p = p * z + 1.20553330e-4f;
  p = p * z + -8.54832702e-4f;
  p = p * z + 5.22397762e-3f;
  p = p * z + -2.68661707e-2f;
  p = p * z + 0.112837917f;
  p = p * z + -0.376126389f;
  p = p * z + 1.12837917f;
  const Floats far = normal(size * 1.41421356f).phi * 2.0f - 1.0f;
  const Floats y = select(size < 0.9f, x * p, withSign(far, x));
  return select(x == x, y, x);
}

}  // namespace vitrail::VITRAIL_VARIANT
