// Packs queries, keys, values and gradients of a head into the layouts that attention-tile.h multiplies.
#pragma once
#include "attention-tile.h"
#include "rows.h"

namespace vitrail::VITRAIL_VARIANT {

VITRAIL_INLINE size_t vectorsOf(size_t elements) { return (elements + kLanes - 1) / kLanes; }
VITRAIL_INLINE size_t padded(size_t elements) { return vectorsOf(elements) * kLanes; }
// The number of words that hold so many elements in the direction of the sum.
template <bool kPairs> VITRAIL_INLINE size_t wordsOf(size_t elements) { return kPairs ? (elements + 1) / 2 : elements; }

// A head's rows in a tensor.
struct HeadRows {
  Array tensor;
  // The element at which the first row starts, and elements from one row to the next.
  size_t first, stride;
  // d
  size_t width;
  // Values are rounded to bf16.
  bool round;

  HeadRows from(size_t row) const { return {tensor, first + row * stride, stride, width, round}; }
};

// The vector of row `row` at element `at`; zeros beyond the width.
VITRAIL_INLINE Floats vectorOf(const HeadRows& x, size_t row, size_t at) {
  const size_t element = x.first + row * x.stride + at;
  const bool whole = at + kLanes <= x.width;
  if (x.tensor.isBf16()) {
    const uint16_t* from = x.tensor.bf16() + element;
    return whole ? loadBf16(from) : loadSomeBf16(from, x.width - at);
  }
  const float* from = x.tensor.f32() + element;
  const Floats v = whole ? load(from) : loadSome(from, x.width - at);
  return x.round ? widen(narrow(v)) : v;
}

#if defined(VITRAIL_LEVEL_AVX512BF16)

// The bf16 of `low` in the lower halves of words, those of `high` in the upper halves.
VITRAIL_INLINE Floats pairUp(Floats low, Floats high) {
  const __m512i lower = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)low));
  const __m512i upper = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)high));
  return (Floats)_mm512_or_si512(lower, _mm512_slli_epi32(upper, 16));
}
// The bf16 of the first, then those of the second.
VITRAIL_INLINE Floats chain(Floats first, Floats second) {
  return (Floats)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
}

#else

// Never called, because there are no pairs at this level; it only has to compile.
VITRAIL_INLINE Floats pairUp(Floats low, Floats) { return low; }
VITRAIL_INLINE Floats chain(Floats first, Floats) { return first; }

#endif

// Words from row to row of packRows, for rows of `width` elements.
template <bool kPairs> VITRAIL_INLINE size_t rowOfPacked(size_t width) { return padded(wordsOf<kPairs>(width)); }

// to [count, rowOfPacked]: rows with their elements in the direction of the sum.
template <bool kPairs> void packRows(const HeadRows& x, size_t count, float* to) {
  const size_t words = rowOfPacked<kPairs>(x.width);
  for (size_t row = 0; row < count; row++, to += words) {
    for (size_t at = 0; at < words; at += kLanes) {
      if (!kPairs) {
        store(to + at, vectorOf(x, row, at));
        continue;
      }
      const bool second = 2 * at + kLanes < x.width;
      store(to + at, chain(vectorOf(x, row, 2 * at), second ? vectorOf(x, row, 2 * at + kLanes) : Floats{}));
    }
  }
}

// to: panels of the columns, with the rows in the direction of the sum; wordsOf(count) steps.
template <bool kPairs> void packColumns(const HeadRows& x, size_t count, float* to) {
  const size_t steps = wordsOf<kPairs>(count), vectors = vectorsOf(x.width);
  for (size_t vector = 0; vector < vectors; vector += kPanel) {
    const size_t wide = vector + kPanel <= vectors ? kPanel : vectors - vector;
    for (size_t step = 0; step < steps; step++) {
      for (size_t i = 0; i < wide; i++, to += kLanes) {
        const size_t at = (vector + i) * kLanes;
        if (!kPairs) {
          store(to, vectorOf(x, step, at));
          continue;
        }
        const bool second = 2 * step + 1 < count;
        store(to, pairUp(vectorOf(x, 2 * step, at), second ? vectorOf(x, 2 * step + 1, at) : Floats{}));
      }
    }
  }
}

// Writes the transpose of kLanes rows of kLanes words.
VITRAIL_INLINE void transposeSquare(const float* from, size_t rowOfFrom, float* to, size_t rowOfTo) {
#if VITRAIL_VECTOR_BYTES == 64
  // A butterfly: four times, rows i and i + 8 are interleaved into rows 2 i and 2 i + 1.
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  __m512i rows[16], next[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) rows[i] = _mm512_loadu_si512(from + static_cast<size_t>(i) * rowOfFrom);
#pragma GCC unroll 4
  for (int round = 0; round < 4; round++) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      next[2 * i] = _mm512_permutex2var_epi32(rows[i], low, rows[i + 8]);
      next[2 * i + 1] = _mm512_permutex2var_epi32(rows[i], high, rows[i + 8]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) rows[i] = next[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + static_cast<size_t>(i) * rowOfTo, rows[i]);
#else
  for (size_t i = 0; i < kLanes; i++) {
    for (size_t j = 0; j < kLanes; j++) memcpy(to + i * rowOfTo + j, from + j * rowOfFrom + i, sizeof(float));
  }
#endif
}

// to: panels of the rows, with the elements in the direction of the sum; wordsOf(width) steps.
// `space`: [kLanes, rowOfPacked] and kLanes x kLanes words.
template <bool kPairs> void packTransposed(const HeadRows& x, size_t count, float* to, float* space) {
  const size_t words = rowOfPacked<kPairs>(x.width), steps = wordsOf<kPairs>(x.width), vectors = vectorsOf(count);
  float* square = space + kLanes * words;
  for (size_t vector = 0; vector < vectors; vector++) {
    const size_t first = vector * kLanes, rows = first + kLanes <= count ? kLanes : count - first;
    packRows<kPairs>(x.from(first), rows, space);
    memset(space + rows * words, 0, (kLanes - rows) * words * sizeof(float));
    const size_t panel = vector / kPanel * kPanel, wide = panel + kPanel <= vectors ? kPanel : vectors - panel;
    float* into = to + panel * kLanes * steps + (vector - panel) * kLanes;
    for (size_t step = 0; step < steps; step += kLanes) {
      if (step + kLanes <= steps) {
        transposeSquare(space + step, words, into + step * wide * kLanes, wide * kLanes);
        continue;
      }
      transposeSquare(space + step, words, square, kLanes);
      for (size_t i = 0; step + i < steps; i++) store(into + (step + i) * wide * kLanes, load(square + i * kLanes));
    }
  }
}

}  // namespace vitrail::VITRAIL_VARIANT
