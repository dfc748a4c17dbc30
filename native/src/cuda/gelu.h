// Value and slope of GELU (arXiv 1606.08415) for one element.
#pragma once
#include "launch.h"

namespace vitrail::cuda {

struct GeluValue {
  float value;
  float slope;
};

// x Phi(x), and Phi(x) + x phi(x).
__device__ __forceinline__ GeluValue geluErf(float x) {
  const float phi = 0.5f * erfcf(x * -0.707106781f);
  const float bell = expf(x * x * -0.5f) * 0.398942280f;
  return {x * phi, phi + x * bell};
}

// x/2 (1 + tanh u) = x logistic(2u) with 2u = 2 sqrt(2/pi) (x + 0.044715 x^3).
__device__ __forceinline__ GeluValue geluTanh(float x) {
  constexpr float kLinear = 1.59576912f, kCubic = 0.0713548163f;
  const float squared = x * x;
  const float gate = 1.0f / (1.0f + expf(-x * (squared * kCubic + kLinear)));
  const float value = x * gate;
  return {value, gate + value * (1.0f - gate) * (squared * (3 * kCubic) + kLinear)};
}

template <bool kErf> __device__ __forceinline__ GeluValue gelu(float x) { return kErf ? geluErf(x) : geluTanh(x); }

}  // namespace vitrail::cuda
