// Vectors of floats in the width of the level that is compiled, by the compilers' vector extensions.
#pragma once
#include <cstring>

#include "variant.h"

namespace vitrail::VITRAIL_VARIANT {

typedef float Floats __attribute__((vector_size(VITRAIL_VECTOR_BYTES)));
typedef int32_t Ints __attribute__((vector_size(VITRAIL_VECTOR_BYTES)));
typedef uint32_t Words __attribute__((vector_size(VITRAIL_VECTOR_BYTES)));
typedef uint16_t Halves __attribute__((vector_size(VITRAIL_VECTOR_BYTES / 2)));

constexpr int kLanes = VITRAIL_VECTOR_BYTES / 4;

VITRAIL_INLINE Floats splat(float value) { return value - Floats{}; }
VITRAIL_INLINE Ints splatInt(int32_t value) { return value - Ints{}; }

VITRAIL_INLINE Floats load(const float* from) {
  Floats v;
  memcpy(&v, from, sizeof v);
  return v;
}
VITRAIL_INLINE void store(float* to, Floats v) { memcpy(to, &v, sizeof v); }

// The first `count` lanes; zeros in the others.
VITRAIL_INLINE Floats loadSome(const float* from, size_t count) {
  Floats v{};
  memcpy(&v, from, count * sizeof(float));
  return v;
}
VITRAIL_INLINE void storeSome(float* to, Floats v, size_t count) { memcpy(to, &v, count * sizeof(float)); }

// bf16 is the upper half of a float.
VITRAIL_INLINE Floats widen(Halves h) {
#if VITRAIL_VECTOR_BYTES == 64
  // One instruction, which GCC 12 does not find.
  return (Floats)_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)h), 16);
#else
  const Words words = __builtin_convertvector(h, Words) << 16;
  return (Floats)words;
#endif
}
// Rounds to nearest, halves to even; NaN stays NaN.
VITRAIL_INLINE Halves narrow(Floats v) {
#if VITRAIL_VECTOR_BYTES == 64
  const __m512i word = (__m512i)v, upper = _mm512_srli_epi32(word, 16);
  const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
  const __m512i up = _mm512_add_epi32(_mm512_add_epi32(word, _mm512_set1_epi32(0x7fff)), odd);
  const __mmask16 nan = _mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q);
  const __m512i all = _mm512_mask_or_epi32(_mm512_srli_epi32(up, 16), nan, upper, _mm512_set1_epi32(0x40));
  return (Halves)_mm512_cvtepi32_epi16(all);
#else
  const Words bits = (Words)v;
  const Words rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const Words quiet = (bits >> 16) | 0x40;
  const Ints isNan = v != v;
  return __builtin_convertvector((Words)((isNan & (Ints)quiet) | (~isNan & (Ints)rounded)), Halves);
#endif
}

VITRAIL_INLINE Floats loadBf16(const uint16_t* from) {
  Halves h;
  memcpy(&h, from, sizeof h);
  return widen(h);
}
VITRAIL_INLINE void storeBf16(uint16_t* to, Floats v) {
  const Halves h = narrow(v);
  memcpy(to, &h, sizeof h);
}
VITRAIL_INLINE Floats loadSomeBf16(const uint16_t* from, size_t count) {
  Halves h{};
  memcpy(&h, from, count * sizeof(uint16_t));
  return widen(h);
}
VITRAIL_INLINE void storeSomeBf16(uint16_t* to, Floats v, size_t count) {
  const Halves h = narrow(v);
  memcpy(to, &h, count * sizeof(uint16_t));
}

VITRAIL_INLINE Floats select(Ints mask, Floats yes, Floats no) {
  return (Floats)((mask & (Ints)yes) | (~mask & (Ints)no));
}
VITRAIL_INLINE Floats maximum(Floats a, Floats b) { return select(a > b, a, b); }
VITRAIL_INLINE Floats minimum(Floats a, Floats b) { return select(a < b, a, b); }

// Lanes are added in the order of a binary tree: lane i to lane i + kLanes / 2 first.
VITRAIL_INLINE float sumOfLanes(Floats v) {
  float lanes[kLanes];
  memcpy(lanes, &v, sizeof v);
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}
VITRAIL_INLINE float maximumOfLanes(Floats v) {
  float lanes[kLanes];
  memcpy(lanes, &v, sizeof v);
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
  }
  return lanes[0];
}

}  // namespace vitrail::VITRAIL_VARIANT
