// Arithmetic in double precision on arrays of floats, as in JavaScript: values are widened, computed and
// rounded once. Files in this folder are compiled without contraction, so that a multiplication and an
// addition never become one operation.
#pragma once
#include "../vector.h"

namespace vitrail::VITRAIL_VARIANT {

typedef double Doubles __attribute__((vector_size(VITRAIL_VECTOR_BYTES)));
typedef int64_t Longs __attribute__((vector_size(VITRAIL_VECTOR_BYTES)));
// Has as many lanes as Doubles.
typedef float Singles __attribute__((vector_size(VITRAIL_VECTOR_BYTES / 2)));
typedef int32_t Bits __attribute__((vector_size(VITRAIL_VECTOR_BYTES / 2)));
// Unsigned, so that sums wrap as in JavaScript's typed arrays.
typedef uint32_t Wrapping __attribute__((vector_size(VITRAIL_VECTOR_BYTES / 2)));

constexpr size_t kDoubles = VITRAIL_VECTOR_BYTES / 8;

// Elements that a thread takes at a time.
constexpr size_t kChunk = 32768;

inline int chunksOf(size_t length) { return static_cast<int>((length + kChunk - 1) / kChunk); }

// There are two cases because a copy of a constant size becomes one instruction. Lanes from `count` on are
// zero.
template <typename Vector, typename Element> VITRAIL_INLINE Vector take(const Element* from, size_t count) {
  Vector v{};
  if (count == kDoubles) memcpy(&v, from, sizeof v);
  else memcpy(&v, from, count * sizeof(Element));
  return v;
}
template <typename Vector, typename Element> VITRAIL_INLINE void put(Element* to, Vector v, size_t count) {
  if (count == kDoubles) memcpy(to, &v, sizeof v);
  else memcpy(to, &v, count * sizeof(Element));
}

VITRAIL_INLINE Doubles widened(const float* from, size_t count) {
  return __builtin_convertvector(take<Singles>(from, count), Doubles);
}
VITRAIL_INLINE void putRounded(float* to, Doubles v, size_t count) {
  put(to, __builtin_convertvector(v, Singles), count);
}

VITRAIL_INLINE Doubles squareRoot(Doubles v) {
#if VITRAIL_VECTOR_BYTES == 64
  return (Doubles)_mm512_sqrt_pd((__m512d)v);
#elif VITRAIL_VECTOR_BYTES == 32
  return (Doubles)_mm256_sqrt_pd((__m256d)v);
#elif defined(__x86_64__)
  return (Doubles)_mm_sqrt_pd((__m128d)v);
#else
  for (size_t i = 0; i < kDoubles; i++) v[i] = __builtin_sqrt(v[i]);
  return v;
#endif
}

// To the nearest whole number, halves to even; |v| < 2^31.
VITRAIL_INLINE Bits nearestWhole(Doubles v) {
#if VITRAIL_VECTOR_BYTES == 64
  return (Bits)_mm512_cvtpd_epi32((__m512d)v);
#elif VITRAIL_VECTOR_BYTES == 32
  return (Bits)_mm256_cvtpd_epi32((__m256d)v);
#elif defined(__x86_64__)
  Bits whole;
  const __m128i padded = _mm_cvtpd_epi32((__m128d)v);
  memcpy(&whole, &padded, sizeof whole);
  return whole;
#else
  // Adding 1.5 x 2^52 rounds, and leaves the integer in the low bits as two's complement.
  return __builtin_convertvector((Longs)(v + 6755399441055744.0), Bits);
#endif
}

VITRAIL_INLINE Doubles absolute(Doubles v) { return (Doubles)((Longs)v & INT64_MAX); }

// Calls step(at, count) for each vector of chunk number `chunk`.
template <typename Step> VITRAIL_INLINE void eachDoubles(int chunk, size_t length, const Step& step) {
  const size_t start = static_cast<size_t>(chunk) * kChunk;
  const size_t end = start + kChunk < length ? start + kChunk : length;
  size_t at = start;
  for (; at + kDoubles <= end; at += kDoubles) step(at, kDoubles);
  if (at < end) step(at, end - at);
}

}  // namespace vitrail::VITRAIL_VARIANT
