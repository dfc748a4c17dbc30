// Decides how a gemm is cut into blocks. The sums do not depend on this, except on the blocks of k, which
// depend only on k.
#pragma once
#include "gemm-epilogue.h"
#include "gemm-pack.h"

namespace vitrail::VITRAIL_VARIANT {

// Words of k and columns in a block. Together they take about half of a second-level cache of 1 MB.
constexpr int64_t kDepth = 384;
constexpr int64_t kColumns = 384;
constexpr int64_t kPackedWords = kDepth * kColumns;
// Rows of a that are packed at a time. They share the second-level cache with the block of b.
constexpr int64_t kRowBlock = 8 * kTileRows;
// Rows of a tile of work. Many rows are good, because b is packed for each tile, but sums in scratch memory
// take space.
constexpr int64_t kMostRows = 144 * kTileRows, kFewestRows = 16 * kTileRows;

inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t roundUp(int64_t a, int64_t b) { return ceilDiv(a, b) * b; }
inline int64_t wholeLines(int64_t words) { return roundUp(words, 16); }

// Words from one packed row of a to the next. This must not be a multiple of 4 KB, or the rows of a tile would
// evict each other from the first-level cache.
inline int64_t packedRowWords(int64_t depth) { return wholeLines(depth) + 16; }

struct Plan {
  Reading readingA, readingB;
  Operand operand;
  bool packsA;
  // Whether the inner loop writes the result itself.
  bool direct;
  // Whether sums of earlier blocks of k wait in c for the next block.
  bool sumsInC;
  // Whether all blocks of b of a tile are kept, because the next tile may use the same.
  bool keepsB;
  // Words of k, words of k in one block, and the number of blocks.
  int64_t depth, blockDepth, blocks;
  // Rows and columns of a tile of the result, and the numbers of tiles.
  int64_t rows, columns, tilesDown, tilesAcross;
  // Words of scratch for one thread, each part beginning on a cache line.
  int64_t wordsB, wordsA, wordsSums, wordsRowSums;

  int64_t scratchWords() const { return wordsB + wordsA + wordsSums + wordsRowSums; }
};

inline bool readsInPlace(const GemmTask& task, Reading reading) {
  if (task.transposeA) return reading == Reading::floats;
  if (reading == Reading::pairs ? task.k % 2 != 0 : reading != Reading::floats) return false;
  // Rows that are a multiple of 4 KB apart evict each other from the first-level cache.
  return task.lda * (reading == Reading::pairs ? 2 : 4) % 4096 != 0 || task.n <= 2 * kTileColumns;
}

// Tiles of work for each thread, so many that no thread waits long for the last one.
constexpr int64_t kTilesPerThread = 4;

// Tiles below each other.
inline int64_t tilesDownOf(const GemmTask& task, const Plan& plan, int threads) {
  const int64_t fewest = ceilDiv(task.m, kMostRows);
  if (threads == 1) return fewest;
  const int64_t wanted = ceilDiv(kTilesPerThread * threads, plan.tilesAcross * task.batch);
  const int64_t most = ceilDiv(task.m, kFewestRows);
  return wanted < fewest ? fewest : wanted > most ? most : wanted;
}

inline Plan planOf(const GemmTask& task, int threads) {
  Plan plan;
  plan.readingA = readingOf(task.bf16, task.a.isBf16());
  plan.readingB = readingOf(task.bf16, task.b.isBf16());
  plan.operand = isPairs(plan.readingA) ? Operand::pairs : Operand::floats;
  plan.packsA = !readsInPlace(task, plan.readingA);
  plan.direct = isDirect(task);
  plan.sumsInC = plan.direct && !task.c.isBf16();
  plan.depth = wordsOf(plan.readingA, task.k);
  // For k = 0 there is one empty block.
  plan.blocks = plan.depth == 0 ? 1 : ceilDiv(plan.depth, kDepth);
  // Blocks of equal size, so that the last one is not short.
  plan.blockDepth = wholeLines(ceilDiv(plan.depth, plan.blocks));
  plan.columns = roundUp(least(task.n, kColumns), kTileColumns);
  plan.tilesAcross = ceilDiv(task.n, plan.columns);
  plan.rows = roundUp(ceilDiv(task.m, tilesDownOf(task, plan, threads)), kTileRows);
  plan.tilesDown = ceilDiv(task.m, plan.rows);
  plan.keepsB = plan.depth * plan.columns <= kPackedWords;
  plan.wordsB = (plan.keepsB ? plan.depth : plan.blockDepth) * plan.columns;
  const int64_t rowsA = least(plan.rows, kRowBlock);
  plan.wordsA = plan.packsA ? wholeLines(rowsA * packedRowWords(plan.blockDepth) + kLanes) : 0;
  const int64_t sumsRows = plan.blocks > 1 && !plan.sumsInC ? plan.rows : plan.direct ? 0 : kTileRows;
  plan.wordsSums = sumsRows * plan.columns;
  plan.wordsRowSums = task.rowSumsOfA != nullptr ? wholeLines(plan.rows) : 0;
  return plan;
}

}  // namespace vitrail::VITRAIL_VARIANT
