// The innermost loop of a matrix product: a tile of C in registers.
#pragma once
#include "vector.h"

namespace vitrail::VITRAIL_VARIANT {

// What is multiplied is made of words of 32 bits: a float, or two bf16 that follow each other along k.
enum class Operand : uint8_t { floats, pairs };

#if defined(VITRAIL_LEVEL_AVX512BF16)
constexpr bool kHasPairs = true;
#else
constexpr bool kHasPairs = false;
#endif

// A tile's rows and columns, as many as the registers hold.
constexpr int kTileRows = VITRAIL_VECTOR_BYTES == 64 ? 14 : VITRAIL_VECTOR_BYTES == 32 ? 6 : 4;
constexpr int kTileColumns = 2 * kLanes;

struct TileTask {
  // Words along k.
  int64_t depth;
  // Word (row, k) lies at a + row * aRow + k * aDepth, in bytes.
  const char* a;
  int64_t aRow, aDepth;
  // [depth][kTileColumns] words, `bDepth` words from one k to the next.
  const float* b;
  int64_t bDepth;
  float* c;
  // Elements from one row of c to the next.
  int64_t cRow;
  // c += instead of c =
  bool add;
};

template <Operand kOperand> VITRAIL_INLINE Floats multiplyAdd(Floats a, Floats b, Floats sum) {
#if defined(VITRAIL_LEVEL_AVX512BF16)
  if constexpr (kOperand == Operand::pairs) return _mm512_dpbf16_ps(sum, (__m512bh)b, (__m512bh)a);
#endif
  return sum + a * b;
}

VITRAIL_INLINE Floats broadcastWord(const char* from) {
#if VITRAIL_VECTOR_BYTES == 64
  return (Floats)_mm512_set1_ps(*reinterpret_cast<const float*>(from));
#else
  return splat(*reinterpret_cast<const float*>(from));
#endif
}

// c = a b, over all kTileColumns columns; every element is summed along k in order.
template <Operand kOperand, int kRows> void multiplyTile(const TileTask& task) {
  Floats sum[kRows][2];
#pragma GCC unroll 16
  for (int row = 0; row < kRows; row++) {
    sum[row][0] = sum[row][1] = Floats{};
    __builtin_prefetch(task.c + row * task.cRow, 1);
    __builtin_prefetch(task.c + row * task.cRow + kLanes, 1);
  }
  const int64_t aRow = task.aRow, aDepth = task.aDepth, bDepth = task.bDepth;
  // Three rows to a pointer: x86 addresses reach base + 0, 1 or 2 times a register.
  constexpr int kPointers = (kRows + 2) / 3;
  const char* a[kPointers];
#pragma GCC unroll 16
  for (int i = 0; i < kPointers; i++) a[i] = task.a + 3 * i * aRow;
  const float* b = task.b;
  for (int64_t left = task.depth; left > 0; left--) {
    const Floats b0 = load(b), b1 = load(b + kLanes);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; row++) {
      const Floats value = broadcastWord(a[row / 3] + (row % 3) * aRow);
      sum[row][0] = multiplyAdd<kOperand>(value, b0, sum[row][0]);
      sum[row][1] = multiplyAdd<kOperand>(value, b1, sum[row][1]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kPointers; i++) a[i] += aDepth;
    b += bDepth;
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; row++) {
    float* c = task.c + row * task.cRow;
    if (task.add) sum[row][0] += load(c), sum[row][1] += load(c + kLanes);
    store(c, sum[row][0]);
    store(c + kLanes, sum[row][1]);
  }
}

using TileKernel = void (*)(const TileTask&);

template <Operand kOperand> TileKernel tileKernel(int rows) {
  static constexpr TileKernel kKernels[] = {
      multiplyTile<kOperand, 1>,  multiplyTile<kOperand, 2>, multiplyTile<kOperand, 3>, multiplyTile<kOperand, 4>,
#if VITRAIL_VECTOR_BYTES >= 32
      multiplyTile<kOperand, 5>,  multiplyTile<kOperand, 6>,
#endif
#if VITRAIL_VECTOR_BYTES >= 64
      multiplyTile<kOperand, 7>,  multiplyTile<kOperand, 8>,  multiplyTile<kOperand, 9>,  multiplyTile<kOperand, 10>,
      multiplyTile<kOperand, 11>, multiplyTile<kOperand, 12>, multiplyTile<kOperand, 13>, multiplyTile<kOperand, 14>,
#endif
  };
  return kKernels[rows - 1];
}

// The tile of `rows` <= kTileRows.
inline TileKernel tileKernel(Operand operand, int rows) {
  if constexpr (kHasPairs) {
    if (operand == Operand::pairs) return tileKernel<Operand::pairs>(rows);
  }
  return tileKernel<Operand::floats>(rows);
}

}  // namespace vitrail::VITRAIL_VARIANT
