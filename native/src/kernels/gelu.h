// Value and slope of GELU, for vectors.
#pragma once
#include "math.h"

namespace vitrail::VITRAIL_VARIANT {

struct GeluValue {
  Floats value;
  Floats slope;
};

// x Phi(x), and Phi(x) + x phi(x).
VITRAIL_INLINE GeluValue geluErf(Floats x) {
  const Normal n = normal(x);
  return {x * n.phi, n.phi + x * n.bell * 0.398942280f};
}

// x/2 (1 + tanh u) = x logistic(2u) with 2u = 2 sqrt(2/pi) (x + 0.044715 x^3).
VITRAIL_INLINE GeluValue geluTanh(Floats x) {
  constexpr float kLinear = 1.59576912f, kCubic = 0.0713548163f;
  const Floats squared = x * x;
  const Floats gate = logistic(x * (squared * kCubic + kLinear));
  const Floats value = x * gate;
  return {value, gate + value * (1.0f - gate) * (squared * (3 * kCubic) + kLinear)};
}

}  // namespace vitrail::VITRAIL_VARIANT
