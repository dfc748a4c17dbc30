// The words that the inner loop of a gemm multiplies, and how elements are converted to words and back.
#pragma once
#include "../base/tensor.h"
#include "vector.h"

namespace vitrail::VITRAIL_VARIANT {

// The inner loop multiplies words of 32 bits: a float, or two bf16 that are neighbours along k.
enum class Operand : uint8_t { floats, pairs };

#if defined(VITRAIL_LEVEL_AVX512BF16)
constexpr bool kHasPairs = true;
#else
constexpr bool kHasPairs = false;
#endif

// How stored elements are converted to words.
enum class Reading : uint8_t {
  floats,        // f32 as it is
  widened,       // bf16 to f32
  rounded,       // f32, rounded to what bf16 holds
  pairs,         // two bf16
  pairsRounded,  // two f32 rounded to bf16
};

constexpr bool isPairs(Reading reading) { return reading == Reading::pairs || reading == Reading::pairsRounded; }
constexpr bool isStoredBf16(Reading reading) { return reading == Reading::widened || reading == Reading::pairs; }
// Elements of k that a word holds.
constexpr int64_t elementsOf(Reading reading) { return isPairs(reading) ? 2 : 1; }
constexpr int64_t wordsOf(Reading reading, int64_t k) { return isPairs(reading) ? (k + 1) / 2 : k; }

inline Reading readingOf(bool bf16, bool storedBf16) {
  if (bf16 && kHasPairs) return storedBf16 ? Reading::pairs : Reading::pairsRounded;
  if (storedBf16) return Reading::widened;
  return bf16 ? Reading::rounded : Reading::floats;
}

// An operand: element (row, column), as stored, at data[row * stride + column].
struct Stored {
  const void* data;
  int64_t stride;
  Reading reading;

  const float* f32(int64_t row, int64_t column) const {
    return static_cast<const float*>(data) + row * stride + column;
  }
  const uint16_t* bf16(int64_t row, int64_t column) const {
    return static_cast<const uint16_t*>(data) + row * stride + column;
  }
};

// As narrow(), but with the processor's instruction if there is one, which treats subnormal numbers as 0.
VITRAIL_INLINE Halves narrowFast(Floats v) {
#if defined(VITRAIL_LEVEL_AVX512BF16)
  return (Halves)_mm512_cvtneps_pbh((__m512)v);
#else
  return narrow(v);
#endif
}

// The loads and stores below are of `count` > 0 elements, or of kLanes if there are more. Other lanes load
// zeros.

#if VITRAIL_VECTOR_BYTES == 64
VITRAIL_INLINE __mmask16 firstLanes(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }
#endif

VITRAIL_INLINE Halves loadHalves(const uint16_t* from, int64_t count) {
  Halves h{};
  if (count >= kLanes) {
    memcpy(&h, from, sizeof h);
    return h;
  }
#if VITRAIL_VECTOR_BYTES == 64
  return (Halves)_mm256_maskz_loadu_epi16(firstLanes(count), from);
#else
  memcpy(&h, from, static_cast<size_t>(count) * sizeof(uint16_t));
  return h;
#endif
}
VITRAIL_INLINE Floats loadFloats(const float* from, int64_t count) {
  if (count >= kLanes) return load(from);
#if VITRAIL_VECTOR_BYTES == 64
  return (Floats)_mm512_maskz_loadu_ps(firstLanes(count), from);
#else
  return loadSome(from, static_cast<size_t>(count));
#endif
}
VITRAIL_INLINE void storeHalves(uint16_t* to, Halves h, int64_t count) {
  if (count >= kLanes) {
    memcpy(to, &h, sizeof h);
    return;
  }
#if VITRAIL_VECTOR_BYTES == 64
  _mm256_mask_storeu_epi16(to, firstLanes(count), (__m256i)h);
#else
  memcpy(to, &h, static_cast<size_t>(count) * sizeof(uint16_t));
#endif
}
VITRAIL_INLINE void storeFloats(float* to, Floats v, int64_t count) {
  if (count >= kLanes) {
    store(to, v);
    return;
  }
#if VITRAIL_VECTOR_BYTES == 64
  _mm512_mask_storeu_ps(to, firstLanes(count), (__m512)v);
#else
  storeSome(to, v, static_cast<size_t>(count));
#endif
}

// The same for an array in either storage.
template <bool kBf16> VITRAIL_INLINE Floats loadElements(const void* from, int64_t at, int64_t count) {
  if constexpr (kBf16) return widen(loadHalves(static_cast<const uint16_t*>(from) + at, count));
  else return loadFloats(static_cast<const float*>(from) + at, count);
}
template <bool kBf16> VITRAIL_INLINE void storeElements(void* to, int64_t at, Floats v, int64_t count) {
  if constexpr (kBf16) storeHalves(static_cast<uint16_t*>(to) + at, narrowFast(v), count);
  else storeFloats(static_cast<float*>(to) + at, v, count);
}

}  // namespace vitrail::VITRAIL_VARIANT
