// Copies the operands of a gemm into the order in which the inner loop reads them, as words (see
// gemm-micro.h).
#pragma once
#include "gemm-micro.h"

namespace vitrail::VITRAIL_VARIANT {

// bf16 at (row, column) and in the following columns, `count` > 0 of them. They are rounded if they are stored
// as f32.
template <Reading kReading>
VITRAIL_INLINE Halves halvesAt(const Stored& x, int64_t row, int64_t column, int64_t count) {
  if constexpr (isStoredBf16(kReading)) return loadHalves(x.bf16(row, column), count);
  else return narrowFast(loadFloats(x.f32(row, column), count));
}

// kLanes words that are neighbours in memory: one k, or the two of a pair, of several rows of op(a) (columns
// of op(b)). `second` is false if k is odd and the last pair has only one element.
template <Reading kReading>
VITRAIL_INLINE Floats wordsAcross(const Stored& x, int64_t k, int64_t column, int64_t count, bool second) {
  if constexpr (kReading == Reading::floats) return loadFloats(x.f32(k, column), count);
  else if constexpr (kReading == Reading::widened || kReading == Reading::rounded) {
    return widen(halvesAt<kReading>(x, k, column, count));
  } else {
    const Words low = __builtin_convertvector(halvesAt<kReading>(x, k, column, count), Words);
    if (!second) return (Floats)low;
    const Words high = __builtin_convertvector(halvesAt<kReading>(x, k + 1, column, count), Words);
    return (Floats)(low | high << 16);
  }
}

// kLanes words along k of one row, from element k on. `count` > 0 elements are left, and zeros follow them.
template <Reading kReading> VITRAIL_INLINE Floats wordsAlong(const Stored& x, int64_t row, int64_t k, int64_t count) {
  if constexpr (kReading == Reading::floats) return loadFloats(x.f32(row, k), count);
  else if constexpr (kReading == Reading::widened || kReading == Reading::rounded) {
    return widen(halvesAt<kReading>(x, row, k, count));
  } else {
    Halves halves[2] = {halvesAt<kReading>(x, row, k, count), Halves{}};
    if (count > kLanes) halves[1] = halvesAt<kReading>(x, row, k + kLanes, count - kLanes);
    Floats words;
    memcpy(&words, halves, sizeof words);
    return words;
  }
}

// Rows of a strided operand are too short for the processor to prefetch the next one.
template <Reading kReading> VITRAIL_INLINE void prefetchRow(const Stored& x, int64_t row, int64_t column) {
  for (int64_t i = 0; i < elementsOf(kReading); i++) {
    if constexpr (isStoredBf16(kReading)) __builtin_prefetch(x.bf16(row + i, column));
    else __builtin_prefetch(x.f32(row + i, column));
  }
}

// Transposes. It uses only shuffles, so words of any kind pass unchanged.
VITRAIL_INLINE void transposeSquare(Floats rows[kLanes]) {
#if VITRAIL_VECTOR_BYTES == 64
  __m512i t[16], u[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32((__m512i)rows[i], (__m512i)rows[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32((__m512i)rows[i], (__m512i)rows[i + 1]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 4) {
    u[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]), u[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    u[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]), u[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  // u[4 g + j] holds of rows 4 g to 4 g + 3 columns j, 4 + j, 8 + j, 12 + j.
#pragma GCC unroll 16
  for (int j = 0; j < 4; j++) {
    const __m512i a = _mm512_shuffle_i32x4(u[j], u[4 + j], 0x88), b = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0x88);
    const __m512i c = _mm512_shuffle_i32x4(u[j], u[4 + j], 0xdd), d = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0xdd);
    rows[j] = (Floats)_mm512_shuffle_i32x4(a, b, 0x88);
    rows[4 + j] = (Floats)_mm512_shuffle_i32x4(c, d, 0x88);
    rows[8 + j] = (Floats)_mm512_shuffle_i32x4(a, b, 0xdd);
    rows[12 + j] = (Floats)_mm512_shuffle_i32x4(c, d, 0xdd);
  }
#else
  uint32_t from[kLanes][kLanes], to[kLanes][kLanes];
  memcpy(from, rows, sizeof from);
  for (int i = 0; i < kLanes; i++) {
    for (int j = 0; j < kLanes; j++) to[j][i] = from[i][j];
  }
  memcpy(rows, to, sizeof to);
#endif
}

// Panels of kTileColumns columns, [depth][kTileColumns] words each, from b stored [k, n]: elements k0 to k1 of columns
// j0 to j1. Columns past j1 are zeros.
template <Reading kReading>
void packAcross(const Stored& b, int64_t k0, int64_t k1, int64_t j0, int64_t j1, float* to) {
  const int64_t panelWords = wordsOf(kReading, k1 - k0) * kTileColumns;
  int64_t at = 0;
  for (int64_t k = k0; k < k1; k += elementsOf(kReading), at += kTileColumns) {
    float* out = to + at;
    int64_t j = j0;
    for (; j + kTileColumns <= j1; j += kTileColumns, out += panelWords) {
      store(out, wordsAcross<kReading>(b, k, j, kLanes, k + 1 < k1));
      store(out + kLanes, wordsAcross<kReading>(b, k, j + kLanes, kLanes, k + 1 < k1));
    }
    if (j < j1) {
      store(out, wordsAcross<kReading>(b, k, j, j1 - j, k + 1 < k1));
      const bool more = j + kLanes < j1;
      store(out + kLanes, more ? wordsAcross<kReading>(b, k, j + kLanes, j1 - j - kLanes, k + 1 < k1) : Floats{});
    }
  }
}

// The same from b stored [n, k].
template <Reading kReading> void packAlong(const Stored& b, int64_t k0, int64_t k1, int64_t j0, int64_t j1, float* to) {
  const int64_t depth = wordsOf(kReading, k1 - k0);
  constexpr int64_t kStep = kLanes * elementsOf(kReading);
  for (int64_t j = j0; j < j1; j += kTileColumns, to += depth * kTileColumns) {
    for (int half = 0; half < 2; half++) {
      const int64_t first = j + half * kLanes;
      for (int64_t k = k0, word = 0; k < k1; k += kStep, word += kLanes) {
        Floats square[kLanes];
        for (int i = 0; i < kLanes; i++) {
          square[i] = first + i < j1 ? wordsAlong<kReading>(b, first + i, k, k1 - k) : Floats{};
        }
        transposeSquare(square);
        const int64_t count = depth - word < kLanes ? depth - word : kLanes;
        float* out = to + word * kTileColumns + half * kLanes;
        for (int64_t i = 0; i < count; i++) store(out + i * kTileColumns, square[i]);
      }
    }
  }
}

// [rows][stride] words from a stored [m, k]: elements k0 to k1 of rows i0 to i1. The stride is a multiple of kLanes.
template <Reading kReading>
void packRows(const Stored& a, int64_t k0, int64_t k1, int64_t i0, int64_t i1, float* to, int64_t stride) {
  constexpr int64_t kStep = kLanes * elementsOf(kReading);
  for (int64_t i = i0; i < i1; i++, to += stride) {
    float* out = to;
    for (int64_t k = k0; k < k1; k += kStep, out += kLanes) store(out, wordsAlong<kReading>(a, i, k, k1 - k));
  }
}

// Words of a panel that packColumns writes. The store of the last row writes a whole vector.
constexpr int64_t columnPanelWords(int64_t depth) { return depth * kTileRows + kLanes; }

// Panels of kTileRows rows, [depth][kTileRows] words each, columnPanelWords(depth) apart, from a stored [k,
// m]: elements k0 to k1 of rows i0 to i1. If `sums` is given, it gets the sum of the stored elements of each
// row.
template <Reading kReading>
void packColumns(const Stored& a, int64_t k0, int64_t k1, int64_t i0, int64_t i1, float* to, float* sums) {
  static_assert(kTileRows <= kLanes, "a row of a panel is one vector");
  constexpr int64_t kWords = elementsOf(kReading);
  // Rows of memory that are read before the next panel, as many as stay in the first-level cache.
  constexpr int64_t kBlock = 16 * kWords;
  const int64_t panelWords = columnPanelWords(wordsOf(kReading, k1 - k0));
  for (int64_t kb = k0; kb < k1; kb += kBlock) {
    const int64_t end = kb + kBlock < k1 ? kb + kBlock : k1;
    float* panel = to + (kb - k0) / kWords * kTileRows;
    for (int64_t i = i0; i < i1; i += kTileRows, panel += panelWords) {
      const int64_t count = i1 - i < kTileRows ? i1 - i : kTileRows;
      float* out = panel;
      for (int64_t k = kb; k < end; k += kWords, out += kTileRows) {
        prefetchRow<kReading>(a, k + kBlock, i);
        store(out, wordsAcross<kReading>(a, k, i, count, k + 1 < k1));
      }
      if (sums == nullptr) continue;
      Floats sum{};
      for (int64_t k = kb; k < end; k++) {
        if constexpr (isStoredBf16(kReading)) sum += widen(loadHalves(a.bf16(k, i), count));
        else sum += loadFloats(a.f32(k, i), count);
      }
      float* total = sums + (i - i0);
      storeFloats(total, loadFloats(total, count) + sum, count);
    }
  }
}

// Adds up elements k0 to k1 of rows i0 to i1 of a stored [m, k], with one sum for each row.
inline void addRowSums(const Stored& a, int64_t k0, int64_t k1, int64_t i0, int64_t i1, float* sums) {
  for (int64_t i = i0; i < i1; i++) {
    Floats sum{};
    for (int64_t k = k0; k < k1; k += kLanes) {
      sum += isStoredBf16(a.reading) ? widen(loadHalves(a.bf16(i, k), k1 - k)) : loadFloats(a.f32(i, k), k1 - k);
    }
    sums[i - i0] += sumOfLanes(sum);
  }
}

// The same of f32 stored [k, m].
inline void addColumnSums(const Stored& a, int64_t k0, int64_t k1, int64_t i0, int64_t i1, float* sums) {
  constexpr int64_t kBlock = 16;
  for (int64_t kb = k0; kb < k1; kb += kBlock) {
    const int64_t end = kb + kBlock < k1 ? kb + kBlock : k1;
    for (int64_t i = i0; i < i1; i += kLanes) {
      Floats sum{};
      for (int64_t k = kb; k < end; k++) sum += loadFloats(a.f32(k, i), i1 - i);
      storeFloats(sums + (i - i0), loadFloats(sums + (i - i0), i1 - i) + sum, i1 - i);
    }
  }
}

}  // namespace vitrail::VITRAIL_VARIANT
