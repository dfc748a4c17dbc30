// The innermost loop of a gemm, which keeps a tile of the result in registers.
#pragma once
#include "gemm-words.h"

namespace vitrail::VITRAIL_VARIANT {

// Rows and columns of a tile, as many as the registers can hold.
constexpr int kTileRows = VITRAIL_VECTOR_BYTES == 64 ? 14 : VITRAIL_VECTOR_BYTES == 32 ? 6 : 4;
constexpr int kTileColumns = 2 * kLanes;

struct TileTask {
  // Words along k.
  int64_t depth;
  // Word (row, k) lies at a + row * aRow + k * aDepth, in bytes.
  const char* a;
  int64_t aRow, aDepth;
  // [depth][kTileColumns] words.
  const float* b;
  // Columns of the tile, at most kTileColumns.
  int64_t columns;
  // Added to the products unless it is null, with `addendRow` elements from one row to the next.
  const float* addend;
  int64_t addendRow;
  // [columns], added to every row unless it is null.
  const float* bias;
  // The result, f32 or bf16, with `cRow` elements from one row to the next. May be the addend.
  void* c;
  int64_t cRow;
  bool cIsBf16;
};

template <Operand kOperand> VITRAIL_INLINE Floats multiplyAdd(Floats a, Floats b, Floats sum) {
#if defined(VITRAIL_LEVEL_AVX512BF16)
  if constexpr (kOperand == Operand::pairs) return _mm512_dpbf16_ps(sum, (__m512bh)b, (__m512bh)a);
#endif
  return sum + a * b;
}

VITRAIL_INLINE Floats broadcastWord(const char* from) {
  float word;
  memcpy(&word, from, sizeof word);
#if VITRAIL_VECTOR_BYTES == 64
  return (Floats)_mm512_set1_ps(word);
#else
  return splat(word);
#endif
}

template <bool kBf16> void storePartTileBy(const TileTask& task, int rows, const float* sums, int64_t sumsRow) {
  for (int row = 0; row < rows; row++, sums += sumsRow) {
    for (int64_t j = 0; j < task.columns; j += kLanes) {
      const int64_t left = task.columns - j;
      Floats v = load(sums + j);
      if (task.addend != nullptr) v += loadFloats(task.addend + row * task.addendRow + j, left);
      if (task.bias != nullptr) v += loadFloats(task.bias + j, left);
      storeElements<kBf16>(task.c, row * task.cRow + j, v, left);
    }
  }
}

// Stores a tile whose columns do not fill its vectors.
__attribute__((noinline)) inline void storePartTile(const TileTask& task, int rows, const float* sums,
                                                    int64_t sumsRow) {
  if (task.cIsBf16) storePartTileBy<true>(task, rows, sums, sumsRow);
  else storePartTileBy<false>(task, rows, sums, sumsRow);
}

template <bool kBf16, int kRows, int kVectors>
VITRAIL_INLINE void storeTile(void* c, int64_t cRow, const Floats (&sum)[kRows][kVectors]) {
#pragma GCC unroll 16
  for (int row = 0; row < kRows; row++) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) storeElements<kBf16>(c, row * cRow + v * kLanes, sum[row][v], kLanes);
  }
}

// c = a b + addend + bias. Every element is summed along k in order.
template <Operand kOperand, int kRows, int kVectors> void multiplyTile(const TileTask& task) {
  Floats sum[kRows][kVectors];
  const int64_t cBytes = task.cIsBf16 ? 2 : 4;
#pragma GCC unroll 16
  for (int row = 0; row < kRows; row++) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) sum[row][v] = Floats{};
    const char* c = static_cast<const char*>(task.c) + row * task.cRow * cBytes;
    __builtin_prefetch(c, 1);
    __builtin_prefetch(c + kLanes * cBytes, 1);
  }
  const int64_t aRow = task.aRow, aDepth = task.aDepth;
  // One pointer for three rows, because x86 addresses reach base + 0, 1 or 2 times a register.
  constexpr int kPointers = (kRows + 2) / 3;
  const char* a[kPointers];
#pragma GCC unroll 16
  for (int i = 0; i < kPointers; i++) a[i] = task.a + 3 * i * aRow;
  const float* b = task.b;
  for (int64_t left = task.depth; left > 0; left--) {
    Floats words[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) words[v] = load(b + v * kLanes);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; row++) {
      const Floats value = broadcastWord(a[row / 3] + (row % 3) * aRow);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; v++) sum[row][v] = multiplyAdd<kOperand>(value, words[v], sum[row][v]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kPointers; i++) a[i] += aDepth;
    b += kTileColumns;
  }
  if (task.columns != kVectors * kLanes) {
    float sums[kRows * kVectors * kLanes];
    storeTile<false>(sums, kVectors * kLanes, sum);
    storePartTile(task, kRows, sums, kVectors * kLanes);
    return;
  }
  if (task.addend != nullptr) {
#pragma GCC unroll 16
    for (int row = 0; row < kRows; row++) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; v++) sum[row][v] += load(task.addend + row * task.addendRow + v * kLanes);
    }
  }
  if (task.bias != nullptr) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) {
      const Floats bias = load(task.bias + v * kLanes);
#pragma GCC unroll 16
      for (int row = 0; row < kRows; row++) sum[row][v] += bias;
    }
  }
  if (task.cIsBf16) storeTile<true>(task.c, task.cRow, sum);
  else storeTile<false>(task.c, task.cRow, sum);
}

using TileKernel = void (*)(const TileTask&);

template <Operand kOperand, int kVectors> TileKernel tileKernelBy(int rows) {
  static constexpr TileKernel kKernels[] = {
      multiplyTile<kOperand, 1, kVectors>,  multiplyTile<kOperand, 2, kVectors>,  multiplyTile<kOperand, 3, kVectors>,
      multiplyTile<kOperand, 4, kVectors>,
#if VITRAIL_VECTOR_BYTES >= 32
      multiplyTile<kOperand, 5, kVectors>,  multiplyTile<kOperand, 6, kVectors>,
#endif
#if VITRAIL_VECTOR_BYTES >= 64
      multiplyTile<kOperand, 7, kVectors>,  multiplyTile<kOperand, 8, kVectors>,  multiplyTile<kOperand, 9, kVectors>,
      multiplyTile<kOperand, 10, kVectors>, multiplyTile<kOperand, 11, kVectors>, multiplyTile<kOperand, 12, kVectors>,
      multiplyTile<kOperand, 13, kVectors>, multiplyTile<kOperand, 14, kVectors>,
#endif
  };
  return kKernels[rows - 1];
}

// For `rows` <= kTileRows and `columns` <= kTileColumns.
inline TileKernel tileKernel(Operand operand, int rows, int64_t columns) {
  const bool narrow = columns <= kLanes;
  if constexpr (kHasPairs) {
    if (operand == Operand::pairs) {
      return narrow ? tileKernelBy<Operand::pairs, 1>(rows) : tileKernelBy<Operand::pairs, 2>(rows);
    }
  }
  return narrow ? tileKernelBy<Operand::floats, 1>(rows) : tileKernelBy<Operand::floats, 2>(rows);
}

}  // namespace vitrail::VITRAIL_VARIANT
