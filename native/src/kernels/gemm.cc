// Matrix products by the method of Goto and van de Geijn (ACM TOMS 34, 2008): blocks of b are packed for the second
// cache, and of a, where the inner loop cannot read it in place.
#include "gemm.h"

#include "gemm-epilogue.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

// Words of k in a block, and columns of one: together they take about half of a second cache of 1 MB.
constexpr int64_t kDepth = 384;
constexpr int64_t kColumns = 384;
constexpr int64_t kPackedWords = kDepth * kColumns;
// Rows of a that are packed at a time: they share the second cache with the block of b.
constexpr int64_t kRowBlock = 8 * kTileRows;
// Rows of a tile of work.
constexpr int64_t kTaskRows = 36 * kTileRows;

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

Reading readingOf(bool bf16, bool storedBf16) {
  if (bf16 && kHasPairs) return storedBf16 ? Reading::pairs : Reading::pairsRounded;
  if (storedBf16) return Reading::widened;
  return bf16 ? Reading::rounded : Reading::floats;
}

template <template <Reading> class Packer, typename... Arguments> void packBy(Reading reading, Arguments... arguments) {
  switch (reading) {
    case Reading::floats: return Packer<Reading::floats>::pack(arguments...);
    case Reading::widened: return Packer<Reading::widened>::pack(arguments...);
    case Reading::rounded:
      if constexpr (!kHasPairs) return Packer<Reading::rounded>::pack(arguments...);
      return;
    case Reading::pairs:
      if constexpr (kHasPairs) return Packer<Reading::pairs>::pack(arguments...);
      return;
    case Reading::pairsRounded:
      if constexpr (kHasPairs) return Packer<Reading::pairsRounded>::pack(arguments...);
      return;
  }
}
template <Reading kReading> struct Across { static constexpr auto pack = packAcross<kReading>; };
template <Reading kReading> struct Along { static constexpr auto pack = packAlong<kReading>; };
template <Reading kReading> struct Rows { static constexpr auto pack = packRows<kReading>; };
template <Reading kReading> struct Columns { static constexpr auto pack = packColumns<kReading>; };

// How a product is cut: follows from the task alone, never from the number of threads.
struct Plan {
  Reading readingA, readingB;
  Operand operand;
  bool packsA, plain;
  // Words of k, and in one block; blocks.
  int64_t depth, blockDepth, blocks;
  // Tiles of the result: rows and columns of one, and how many.
  int64_t rows, columns, tilesDown, tilesAcross;
  // Words of scratch for one thread, each part beginning on a cache line.
  int64_t wordsB, wordsA, wordsSums, wordsTail, wordsRowSums;

  int64_t scratchWords() const { return wordsB + wordsA + wordsSums + wordsTail + wordsRowSums; }
};

int64_t wholeLines(int64_t words) { return ceilDiv(words, 16) * 16; }

// Words from one packed row of a to the next: not a multiple of 4 KB, or the rows of a tile would displace each other
// from the first cache.
int64_t packedRowWords(int64_t depth) { return wholeLines(depth) + 16; }

Plan planOf(const GemmTask& task) {
  Plan plan;
  plan.readingA = readingOf(task.bf16, task.a.isBf16());
  plan.readingB = readingOf(task.bf16, task.b.isBf16());
  plan.operand = isPairs(plan.readingA) ? Operand::pairs : Operand::floats;
  plan.plain = isPlain(task);
  const bool asStored = plan.readingA == Reading::floats || (plan.readingA == Reading::pairs && task.k % 2 == 0);
  plan.packsA = task.transposeA || !asStored;
  plan.depth = wordsOf(plan.readingA, task.k);
  plan.blocks = ceilDiv(plan.depth, kDepth);
  // Equal blocks rather than a short last one.
  plan.blockDepth = plan.blocks == 0 ? 0 : wholeLines(ceilDiv(plan.depth, plan.blocks));
  plan.columns = least(wholeLines(task.n), kColumns);
  plan.columns = ceilDiv(plan.columns, kTileColumns) * kTileColumns;
  plan.rows = least(task.m, kTaskRows);
  plan.tilesDown = ceilDiv(task.m, plan.rows);
  plan.tilesAcross = ceilDiv(task.n, plan.columns);
  plan.wordsB = plan.blockDepth * plan.columns;
  const int64_t rowsA = ceilDiv(least(plan.rows, kRowBlock), kTileRows) * kTileRows;
  plan.wordsA = plan.packsA ? wholeLines(rowsA * packedRowWords(plan.blockDepth) + kLanes) : 0;
  plan.wordsSums = plan.plain ? 0 : (plan.blocks > 1 ? plan.rows : kTileRows) * plan.columns;
  plan.wordsTail = kTileRows * kTileColumns;
  plan.wordsRowSums = wholeLines(task.rowSumsOfA != nullptr ? plan.rows : 0);
  return plan;
}

void packB(const GemmTask& task, const Plan& plan, const Stored& b, int64_t k0, int64_t k1, int64_t j0, int64_t j1,
           float* to) {
  if (task.transposeB) packBy<Along>(plan.readingB, b, k0, k1, j0, j1, to);
  else packBy<Across>(plan.readingB, b, k0, k1, j0, j1, to);
}

// One tile of the result of one matrix of the batch.
class Tile {
 public:
  Tile(const GemmTask& task, const Plan& plan, int64_t matrix, int64_t down, int64_t across, float* scratch)
      : task_(task), plan_(plan) {
    i0_ = down * plan.rows, i1_ = least(i0_ + plan.rows, task.m);
    j0_ = across * plan.columns, j1_ = least(j0_ + plan.columns, task.n);
    a_ = {at(task.a, matrix * task.strideA), task.lda, plan.readingA};
    b_ = {at(task.b, matrix * task.strideB), task.ldb, plan.readingB};
    offsetC_ = matrix * task.strideC;
    packedB_ = scratch;
    packedA_ = packedB_ + plan.wordsB;
    sums_ = packedA_ + plan.wordsA;
    tail_ = sums_ + plan.wordsSums;
    rowSums_ = tail_ + plan.wordsTail;
  }

  void compute() {
    const bool sumsRows = task_.rowSumsOfA != nullptr && j0_ == 0;
    if (sumsRows) for (int64_t i = 0; i < i1_ - i0_; i++) rowSums_[i] = 0;
    if (plan_.blocks == 0) computeNothing();
    for (int64_t block = 0; block < plan_.blocks; block++) {
      const int64_t step = plan_.blockDepth * elementsOf(plan_.readingA);
      const int64_t k0 = block * step, k1 = least(k0 + step, task_.k);
      packB(task_, plan_, b_, k0, k1, j0_, j1_, packedB_);
      for (int64_t i = i0_; i < i1_; i += kRowBlock) {
        computeRows(block, k0, k1, i, least(i + kRowBlock, i1_), sumsRows);
      }
    }
    if (sumsRows) for (int64_t i = i0_; i < i1_; i++) task_.rowSumsOfA[i] = rowSums_[i - i0_];
  }

 private:
  static const void* at(const Array& array, int64_t elements) {
    return array.as<char>() + elements * static_cast<int64_t>(bytesOf(array.storage));
  }

  // k = 0: all sums are 0.
  void computeNothing() {
    if (task_.accumulate) return;
    float zeros[kTileColumns] = {};
    for (int64_t i = i0_; i < i1_; i++) {
      for (int64_t j = j0_; j < j1_; j += kTileColumns) {
        finishRow(task_, offsetC_, i, j, least(j + kTileColumns, j1_), zeros);
      }
    }
  }

  void computeRows(int64_t block, int64_t k0, int64_t k1, int64_t i0, int64_t i1, bool sumsRows) {
    TileTask tile;
    tile.depth = wordsOf(plan_.readingA, k1 - k0);
    float* sums = sumsRows ? rowSums_ + (i0 - i0_) : nullptr;
    // Bytes from one tile's first row to the next's.
    int64_t aTile;
    if (task_.transposeA) {
      packBy<Columns>(plan_.readingA, a_, k0, k1, i0, i1, packedA_, sums);
      tile.a = reinterpret_cast<const char*>(packedA_);
      tile.aRow = 4, tile.aDepth = 4 * kTileRows, aTile = 4 * columnPanelWords(tile.depth);
    } else {
      if (sums != nullptr) addRowSums(k0, k1, i0, i1, sums);
      if (plan_.packsA) {
        const int64_t stride = packedRowWords(tile.depth);
        packBy<Rows>(plan_.readingA, a_, k0, k1, i0, i1, packedA_, stride);
        tile.a = reinterpret_cast<const char*>(packedA_);
        tile.aRow = 4 * stride;
      } else {
        const int64_t bytes = isStoredBf16(plan_.readingA) ? 2 : 4;
        tile.a = static_cast<const char*>(a_.data) + (i0 * a_.stride + k0) * bytes;
        tile.aRow = a_.stride * bytes;
      }
      tile.aDepth = 4, aTile = tile.aRow * kTileRows;
    }
    for (int64_t i = i0; i < i1; i += kTileRows, tile.a += aTile) {
      computeStrip(tile, block, i, static_cast<int>(least(i1 - i, kTileRows)));
    }
  }

  // All columns of a tile's rows.
  void computeStrip(TileTask& tile, int64_t block, int64_t i, int rows) {
    float* to = plan_.plain ? task_.c.f32() + offsetC_ + i * task_.ldc + j0_
                            : sums_ + (plan_.blocks > 1 ? i - i0_ : 0) * plan_.columns;
    const int64_t toRow = plan_.plain ? task_.ldc : plan_.columns;
    const bool add = block > 0 || (plan_.plain && task_.accumulate);
    const TileKernel multiply = tileKernel(plan_.operand, rows);
    tile.b = packedB_, tile.bDepth = kTileColumns;
    for (int64_t j = j0_; j < j1_; j += kTileColumns, tile.b += tile.depth * kTileColumns, to += kTileColumns) {
      if (plan_.plain && j + kTileColumns > j1_) {
        multiplyTail(tile, multiply, rows, j1_ - j, to, add);
        break;
      }
      tile.c = to, tile.cRow = toRow, tile.add = add;
      multiply(tile);
    }
    if (plan_.plain || block + 1 < plan_.blocks) return;
    const float* sums = sums_ + (plan_.blocks > 1 ? i - i0_ : 0) * plan_.columns;
    for (int row = 0; row < rows; row++) finishRow(task_, offsetC_, i + row, j0_, j1_, sums + row * plan_.columns);
  }

  // A tile with fewer columns, which must not write past them.
  void multiplyTail(TileTask& tile, TileKernel multiply, int rows, int64_t columns, float* to, bool add) {
    tile.c = tail_, tile.cRow = kTileColumns, tile.add = false;
    multiply(tile);
    for (int row = 0; row < rows; row++) {
      for (int64_t j = 0; j < columns; j++) {
        float& c = to[row * task_.ldc + j];
        const float product = tail_[row * kTileColumns + j];
        c = add ? c + product : product;
      }
    }
  }

  void addRowSums(int64_t k0, int64_t k1, int64_t i0, int64_t i1, float* sums) {
    for (int64_t i = i0; i < i1; i++) {
      Floats sum{};
      for (int64_t k = k0; k < k1; k += kLanes) {
        sum += isStoredBf16(a_.reading) ? widen(loadHalves(a_.bf16(i, k), k1 - k)) : loadFloats(a_.f32(i, k), k1 - k);
      }
      sums[i - i0] += sumOfLanes(sum);
    }
  }

  const GemmTask& task_;
  const Plan& plan_;
  int64_t i0_, i1_, j0_, j1_;
  Stored a_, b_;
  int64_t offsetC_;
  float *packedB_, *packedA_, *sums_, *tail_, *rowSums_;
};

// Chunks of one call to the pool.
constexpr int64_t kMostChunks = 1 << 30;

void gemm(const Context& context, const GemmTask& task) {
  if (task.m == 0 || task.n == 0 || task.batch == 0) return;
  const Plan plan = planOf(task);
  const int64_t words = plan.scratchWords();
  const size_t bytes = static_cast<size_t>(words) * sizeof(float);
  Scratch scratch(context.memory, bytes * static_cast<size_t>(context.pool.threads()));
  const int64_t tiles = plan.tilesDown * plan.tilesAcross, chunks = tiles * task.batch;
  for (int64_t first = 0; first < chunks; first += kMostChunks) {
    context.pool.run(static_cast<int>(least(chunks - first, kMostChunks)), [&](int chunk, int thread) {
      const int64_t matrix = (first + chunk) / tiles, tile = (first + chunk) % tiles;
      Tile(task, plan, matrix, tile % plan.tilesDown, tile / plan.tilesDown, scratch.as<float>() + thread * words)
          .compute();
    });
  }
}

}  // namespace

extern const GemmKernels gemmKernels;
const GemmKernels gemmKernels = {gemm};

}  // namespace vitrail::VITRAIL_VARIANT
