// Gemms of matrices in the cache, for attention. A block of C stays in registers while its steps are added up.
#pragma once
#include "ahead.h"
#include "vector.h"

namespace vitrail::VITRAIL_VARIANT {

// Operands are 32-bit words: a float, or (`kPairs`) two bf16 that are neighbours in the direction of the sum.
#if defined(VITRAIL_LEVEL_AVX512BF16)
constexpr bool kHasPairs = true;
#else
constexpr bool kHasPairs = false;
#endif

// Rows of a block of C. With two vectors each they fill the registers that operands do not need.
constexpr size_t kMostRows = kLanes == 16 ? 14 : 6;
// Vectors of a panel of B.
constexpr size_t kPanel = 2;

// The element of row i and step k is words[i row + k step]; one of the strides is 1.
struct Rows {
  const float* words;
  size_t row, step;
};

template <bool kPairs> VITRAIL_INLINE Floats broadcast(const float* word) {
  if (!kPairs) return splat(*word);
  int32_t bits;
  memcpy(&bits, word, sizeof bits);
  return (Floats)splatInt(bits);
}

template <bool kPairs> VITRAIL_INLINE Floats addProduct(Floats sum, Floats a, Floats b) {
#if defined(VITRAIL_LEVEL_AVX512BF16)
  if (kPairs) return (Floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#endif
  return a * b + sum;
}

// c [kRows, kVectors] = a b, or c += a b; b is a panel of `steps` rows.
template <bool kPairs, bool kAlong, int kRows, int kVectors> void multiplyBlock(size_t steps, const float* a,
                                                                                size_t stride, const float* b, float* c,
                                                                                size_t rowOfC, bool accumulate) {
  Floats sums[kRows][kVectors];
#pragma GCC unroll 14
  for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) {
      sums[i][v] = accumulate ? load(c + static_cast<size_t>(i) * rowOfC + v * kLanes) : Floats{};
    }
  }
  for (size_t k = 0; k < steps; k++) {
    Floats factors[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) factors[v] = load(b + v * kLanes);
#pragma GCC unroll 14
    for (int i = 0; i < kRows; i++) {
      const Floats factor = broadcast<kPairs>(kAlong ? a + static_cast<size_t>(i) * stride : a + i);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; v++) sums[i][v] = addProduct<kPairs>(sums[i][v], factor, factors[v]);
    }
    a += kAlong ? 1 : stride;
    b += kVectors * kLanes;
  }
#pragma GCC unroll 14
  for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) store(c + static_cast<size_t>(i) * rowOfC + v * kLanes, sums[i][v]);
  }
}

// Calls the function for `rows` <= kRows.
template <bool kPairs, bool kAlong, int kVectors, int kRows = static_cast<int>(kMostRows)>
VITRAIL_INLINE void multiplyRows(size_t rows, size_t steps, const float* a, size_t stride, const float* b, float* c,
                                 size_t rowOfC, bool accumulate) {
  if constexpr (kRows > 1) {
    if (rows < kRows) {
      multiplyRows<kPairs, kAlong, kVectors, kRows - 1>(rows, steps, a, stride, b, c, rowOfC, accumulate);
      return;
    }
  }
  multiplyBlock<kPairs, kAlong, kRows, kVectors>(steps, a, stride, b, c, rowOfC, accumulate);
}

// c [rows, vectors x kLanes] = a b, or c += a b. b: panels of kPanel vectors, the last one of what is left; panel p
// begins at p x kPanel x kLanes x steps. `ahead` goes on with every block.
template <bool kPairs> void multiply(size_t rows, size_t vectors, size_t steps, Rows a, const float* b, float* c,
                                     size_t rowOfC, bool accumulate, Ahead& ahead) {
  const bool along = a.step == 1;
  const size_t stride = along ? a.row : a.step;
  // Blocks of about equal size, so that none has only a row or two.
  const size_t blocks = (rows + kMostRows - 1) / kMostRows;
  for (size_t vector = 0; vector < vectors; vector += kPanel) {
    const float* panel = b + vector * kLanes * steps;
    const bool whole = vector + kPanel <= vectors;
    for (size_t block = 0; block < blocks; block++) {
      const size_t first = block * rows / blocks, count = (block + 1) * rows / blocks - first;
      const float* from = a.words + first * a.row;
      float* to = c + first * rowOfC + vector * kLanes;
      ahead.step();
      if (along && whole) multiplyRows<kPairs, true, 2>(count, steps, from, stride, panel, to, rowOfC, accumulate);
      else if (along) multiplyRows<kPairs, true, 1>(count, steps, from, stride, panel, to, rowOfC, accumulate);
      else if (whole) multiplyRows<kPairs, false, 2>(count, steps, from, stride, panel, to, rowOfC, accumulate);
      else multiplyRows<kPairs, false, 1>(count, steps, from, stride, panel, to, rowOfC, accumulate);
    }
  }
}

}  // namespace vitrail::VITRAIL_VARIANT
