// Exponential, normal distribution and logistic function of vectors of floats.
#pragma once
#include "vector.h"

namespace vitrail::VITRAIL_VARIANT {

// e^r for |r| <= ln 2 / 2: minimax, relative error 4e-9 (own fit).
VITRAIL_INLINE Floats exponentialNearZero(Floats r) {
  Floats p = r * 0.0013811665f + 0.0083701387f;
  p = p * r + 0.041668527f;
  p = p * r + 0.16666509f;
  p = p * r + 0.49999994f;
  return p * (r * r) + r + 1.0f;
}

// ln 2 = kLog2High + kLog2Low; the first has 9 bits, so that its products with whole numbers are exact.
constexpr float kLog2High = 0.693359375f, kLog2Low = -2.12194440e-4f, kInverseLog2 = 1.44269504f;

#if VITRAIL_VECTOR_BYTES == 64

// e^x to 2 units in the last place; infinity above 88.8, 0 below -104, where subnormal results end; NaN stays NaN.
VITRAIL_INLINE Floats exponential(Floats x) {
  // The second operand comes out where one is NaN.
  const Floats held = _mm512_max_ps(splat(-105), _mm512_min_ps(splat(89), x));
  const Floats n = _mm512_roundscale_ps(held * kInverseLog2, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const Floats r = (held - n * kLog2High) - n * kLog2Low;
  return _mm512_scalef_ps(exponentialNearZero(r), n);
}

#else

// e^x to 2 units in the last place; 0 below -87.3 and infinity above 88.7; NaN stays NaN.
VITRAIL_INLINE Floats exponential(Floats x) {
  // 1.5 x 2^23: adding it rounds to whole numbers.
  constexpr float kRounder = 12582912.0f;
  const Floats held = minimum(maximum(x, splat(-87.3f)), splat(88.7f));
  const Floats shifted = held * kInverseLog2 + kRounder;
  const Floats n = shifted - kRounder;
  const Floats r = (held - n * kLog2High) - n * kLog2Low;
  // 2^n in two factors: 2^128 would not fit one.
  const Ints whole = (Ints)shifted - splatInt(0x4b400000);
  const Ints half = whole >> 1;
  const Floats scale1 = (Floats)((half + 127) << 23), scale2 = (Floats)((whole - half + 127) << 23);
  Floats y = exponentialNearZero(r) * scale1 * scale2;
  y = select(x < -87.3f, splat(0), y);
  y = select(x > 88.7f, splat(__builtin_inff()), y);
  return select(x == x, y, x);
}

#endif

// Phi(x), the normal distribution function, with e^(-x^2/2) as a by-product. Relative error below 1e-6 for x > -5,
// absolute error below 1e-7 everywhere.
struct Normal {
  Floats phi;
  // e^(-x^2 / 2): the density times sqrt(2 pi).
  Floats bell;
};
VITRAIL_INLINE Normal normal(Floats x) {
  const Floats distance = (Floats)((Ints)x & 0x7fffffff);
  const Floats bell = exponential(x * x * -0.5f);
  // erfc(z) = e^(-z^2) t P(t) with t = 1 / (1 + 0.3 z), z = |x| / sqrt 2: the form of Abramowitz and Stegun 7.1.26,
  // P of degree 8 with relative error 2e-8 (own fit).
  const Floats t = 1.0f / (distance * 0.21213203f + 1.0f);
  Floats p = t * -0.129537076f + 0.485639006f;
  p = p * t + -0.512451649f;
  p = p * t + 0.547941923f;
  p = p * t + -0.0948237106f;
  p = p * t + 0.215010121f;
  p = p * t + 0.148314327f;
  p = p * t + 0.170719296f;
  p = p * t + 0.169187725f;
  const Floats tail = p * t * bell * 0.5f;
  // -0.5 t P e^.. for infinite x is 0 x infinity nowhere: t = 0 there.
  return {select(x > 0.0f, 1.0f - tail, tail), bell};
}

// 1 / (1 + e^-x)
VITRAIL_INLINE Floats logistic(Floats x) { return 1.0f / (exponential(-x) + 1.0f); }

}  // namespace vitrail::VITRAIL_VARIANT
