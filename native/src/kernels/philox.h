// Philox 4x32-10 (Salmon et al., SC 2011) for dropout, with 16 random bits for each element.
#pragma once
#include "philox-block.h"
#include "vector.h"

namespace vitrail::VITRAIL_VARIANT {

// 128 elements: what 16 counters give.
constexpr int kPhiloxElements = 128;
constexpr int kPhiloxCounters = 16;

#if VITRAIL_VECTOR_BYTES == 64

// The random bits of 128 elements from the first of counter `counter` on.
inline void philox128(uint32_t counter, const DropoutKey& key, uint16_t* out) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i c0 = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(counter)), lanes);
  __m512i c1 = _mm512_set1_epi32(static_cast<int>(key.path[0])), c2 = _mm512_set1_epi32(static_cast<int>(key.path[1]));
  __m512i c3 = _mm512_set1_epi32(static_cast<int>(key.path[2]));
  const __m512i m0 = _mm512_set1_epi64(0xd2511f53), m1 = _mm512_set1_epi64(0xcd9e8d57);
  uint32_t k0 = key.key[0], k1 = key.key[1];
  for (int round = 0; round < 10; round++) {
    // Products of the even and of the odd lanes, 64 bits each.
    const __m512i even0 = _mm512_mul_epu32(c0, m0), odd0 = _mm512_mul_epu32(_mm512_srli_epi64(c0, 32), m0);
    const __m512i even1 = _mm512_mul_epu32(c2, m1), odd1 = _mm512_mul_epu32(_mm512_srli_epi64(c2, 32), m1);
    const __m512i low0 = _mm512_mask_mov_epi32(even0, 0xaaaa, _mm512_slli_epi64(odd0, 32));
    const __m512i high0 = _mm512_mask_mov_epi32(_mm512_srli_epi64(even0, 32), 0xaaaa, odd0);
    const __m512i low1 = _mm512_mask_mov_epi32(even1, 0xaaaa, _mm512_slli_epi64(odd1, 32));
    const __m512i high1 = _mm512_mask_mov_epi32(_mm512_srli_epi64(even1, 32), 0xaaaa, odd1);
    c0 = _mm512_ternarylogic_epi32(high1, c1, _mm512_set1_epi32(static_cast<int>(k0)), 0x96);
    c2 = _mm512_ternarylogic_epi32(high0, c3, _mm512_set1_epi32(static_cast<int>(k1)), 0x96);
    c1 = low1;
    c3 = low0;
    k0 += 0x9e3779b9, k1 += 0xbb67ae85;
  }
  // From word j of 16 counters to the four words of each counter.
  const __m512i a = _mm512_unpacklo_epi32(c0, c1), b = _mm512_unpackhi_epi32(c0, c1);
  const __m512i c = _mm512_unpacklo_epi32(c2, c3), d = _mm512_unpackhi_epi32(c2, c3);
  const __m512i r0 = _mm512_unpacklo_epi64(a, c), r1 = _mm512_unpackhi_epi64(a, c);
  const __m512i r2 = _mm512_unpacklo_epi64(b, d), r3 = _mm512_unpackhi_epi64(b, d);
  // r_i holds counters i, 4 + i, 8 + i, 12 + i.
  const __m512i s0 = _mm512_shuffle_i32x4(r0, r1, 0x44), s1 = _mm512_shuffle_i32x4(r2, r3, 0x44);
  const __m512i s2 = _mm512_shuffle_i32x4(r0, r1, 0xee), s3 = _mm512_shuffle_i32x4(r2, r3, 0xee);
  _mm512_storeu_si512(out, _mm512_shuffle_i32x4(s0, s1, 0x88));
  _mm512_storeu_si512(out + 32, _mm512_shuffle_i32x4(s0, s1, 0xdd));
  _mm512_storeu_si512(out + 64, _mm512_shuffle_i32x4(s2, s3, 0x88));
  _mm512_storeu_si512(out + 96, _mm512_shuffle_i32x4(s2, s3, 0xdd));
}

#else

inline void philox128(uint32_t counter, const DropoutKey& key, uint16_t* out) {
  for (int i = 0; i < kPhiloxCounters; i++) {
    uint32_t words[4];
    philoxBlock(counter + static_cast<uint32_t>(i), key, words);
    memcpy(out + 8 * i, words, sizeof words);
  }
}

#endif

// Gives the random bits of consecutive elements, from any element on, in pieces of any length.
class DropoutBits {
 public:
  DropoutBits(const DropoutKey& key, uint64_t first)
      : key_(key), counter_(static_cast<uint32_t>(first / 8)), at_(static_cast<int>(first % 8)) {
    philox128(counter_, key_, bits_);
  }

  // Multipliers (0 or `kept`) of the next `count` <= kLanes elements. The other lanes are undefined.
  VITRAIL_INLINE Floats next(int count) {
    if (at_ + kLanes > kPhiloxElements) refill();
    Halves h;
    memcpy(&h, bits_ + at_, sizeof h);
    at_ += count;
    const Ints random = __builtin_convertvector(h, Ints);
    return select(random >= splatInt(static_cast<int32_t>(key_.dropBelow)), splat(key_.kept), splat(0));
  }

 private:
  // Moves the remaining bits to the front and appends those of whole counters.
  void refill() {
    const int used = at_ / 8;
    counter_ += static_cast<uint32_t>(used);
    at_ -= 8 * used;
    philox128(counter_, key_, bits_);
  }

  const DropoutKey& key_;
  uint32_t counter_;
  int at_;
  uint16_t bits_[kPhiloxElements + kLanes];
};

}  // namespace vitrail::VITRAIL_VARIANT
