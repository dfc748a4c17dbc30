// Gemms by the method of Goto and van de Geijn (ACM TOMS 34, 2008): blocks of b are packed for the
// second-level cache, and so are those of a if the inner loop cannot read it in place.
#include "gemm.h"

#include "gemm-plan.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

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
// clang-format off: a table, a line each
template <Reading kReading> struct Across { static constexpr auto pack = packAcross<kReading>; };
template <Reading kReading> struct Along { static constexpr auto pack = packAlong<kReading>; };
template <Reading kReading> struct Rows { static constexpr auto pack = packRows<kReading>; };
template <Reading kReading> struct Columns { static constexpr auto pack = packColumns<kReading>; };
// clang-format on

const void* elementAt(const Array& array, int64_t element) {
  return array.as<char>() + element * static_cast<int64_t>(bytesOf(array.storage));
}

// The scratch memory of one thread, kept from tile to tile.
struct Workplace {
  float *packedB, *packedA, *sums, *rowSums;
  // The matrix and the columns that packedB holds; null for none.
  const void* matrixB = nullptr;
  int64_t columnsB = 0;

  Workplace(const Plan& plan, float* scratch)
      : packedB(scratch), packedA(packedB + plan.wordsB), sums(packedA + plan.wordsA), rowSums(sums + plan.wordsSums) {}
};

// Prefetches rows of a into the second-level cache, a share at a time. They are too far apart for the
// processor to do this by itself.
class RowFetcher {
 public:
  RowFetcher() = default;
  RowFetcher(const char* from, int64_t rowBytes, int64_t stride, int64_t rows, int64_t shares)
      : from_(from), stride_(stride), linesOfRow_(ceilDiv(rowBytes, kLine)) {
    lines_ = linesOfRow_ * rows;
    share_ = ceilDiv(lines_, shares);
  }

  VITRAIL_INLINE void fetchShare() {
    for (const int64_t end = least(at_ + share_, lines_); at_ < end; at_++) {
      __builtin_prefetch(from_ + at_ / linesOfRow_ * stride_ + at_ % linesOfRow_ * kLine, 0, 2);
    }
  }

 private:
  static constexpr int64_t kLine = 64;
  const char* from_ = nullptr;
  int64_t stride_ = 0, linesOfRow_ = 1, lines_ = 0, share_ = 0, at_ = 0;
};

// One tile of the result of one matrix of the batch.
class Tile {
 public:
  Tile(const GemmTask& task, const Plan& plan, int64_t matrix, int64_t down, int64_t across, Workplace& place)
      : task_(task), plan_(plan), place_(place) {
    i0_ = down * plan.rows, i1_ = least(i0_ + plan.rows, task.m);
    j0_ = across * plan.columns, j1_ = least(j0_ + plan.columns, task.n);
    a_ = {elementAt(task.a, matrix * task.strideA), task.lda, plan.readingA};
    b_ = {elementAt(task.b, matrix * task.strideB), task.ldb, plan.readingB};
    offsetC_ = matrix * task.strideC;
    finish_ = plan.direct ? nullptr : rowFinish(task);
    sumsRows_ = task.rowSumsOfA != nullptr && across == 0;
  }

  void compute() {
    for (int64_t i = 0; sumsRows_ && i < i1_ - i0_; i++) place_.rowSums[i] = 0;
    const bool hasB = plan_.keepsB && place_.matrixB == b_.data && place_.columnsB == j0_;
    const int64_t step = plan_.blockDepth * elementsOf(plan_.readingA);
    for (int64_t block = 0; block < plan_.blocks; block++) {
      const int64_t k0 = block * step, k1 = least(k0 + step, task_.k);
      float* packed = place_.packedB + (plan_.keepsB ? wordsOf(plan_.readingB, k0) * plan_.columns : 0);
      if (!hasB) packB(k0, k1, packed);
      const int64_t rows = plan_.packsA || task_.transposeA ? kRowBlock : plan_.rows;
      for (int64_t i = i0_; i < i1_; i += rows) computeRows(k0, k1, i, least(i + rows, i1_), packed);
    }
    if (plan_.keepsB) place_.matrixB = b_.data, place_.columnsB = j0_;
    for (int64_t i = i0_; sumsRows_ && i < i1_; i++) task_.rowSumsOfA[i] = place_.rowSums[i - i0_];
  }

 private:
  void packB(int64_t k0, int64_t k1, float* to) {
    if (task_.transposeB) packBy<Along>(plan_.readingB, b_, k0, k1, j0_, j1_, to);
    else packBy<Across>(plan_.readingB, b_, k0, k1, j0_, j1_, to);
  }

  void computeRows(int64_t k0, int64_t k1, int64_t i0, int64_t i1, const float* packedB) {
    float* rowSums = sumsRows_ ? place_.rowSums + (i0 - i0_) : nullptr;
    TileTask tile;
    tile.depth = wordsOf(plan_.readingA, k1 - k0);
    // Bytes from one tile's first row to the next's.
    int64_t aTile;
    if (plan_.packsA) {
      tile.a = reinterpret_cast<const char*>(place_.packedA);
      if (task_.transposeA) {
        packBy<Columns>(plan_.readingA, a_, k0, k1, i0, i1, place_.packedA, rowSums);
        tile.aRow = 4, tile.aDepth = 4 * kTileRows, aTile = 4 * columnPanelWords(tile.depth);
      } else {
        packBy<Rows>(plan_.readingA, a_, k0, k1, i0, i1, place_.packedA, packedRowWords(tile.depth));
        tile.aRow = 4 * packedRowWords(tile.depth), tile.aDepth = 4, aTile = tile.aRow * kTileRows;
      }
    } else {
      const int64_t bytes = isStoredBf16(plan_.readingA) ? 2 : 4, down = a_.stride * bytes;
      tile.a = static_cast<const char*>(a_.data) + (task_.transposeA ? k0 * down + i0 * bytes : i0 * down + k0 * bytes);
      tile.aRow = task_.transposeA ? bytes : down;
      tile.aDepth = task_.transposeA ? down : 4;
      aTile = tile.aRow * kTileRows;
    }
    if (rowSums != nullptr && !task_.transposeA) addRowSums(a_, k0, k1, i0, i1, rowSums);
    if (rowSums != nullptr && task_.transposeA && !plan_.packsA) addColumnSums(a_, k0, k1, i0, i1, rowSums);
    const int64_t tiles = ceilDiv(j1_ - j0_, kTileColumns);
    for (int64_t i = i0; i < i1; i += kTileRows, tile.a += aTile) {
      tile.b = packedB;
      const int64_t next = i + kTileRows;
      if (!plan_.packsA && !task_.transposeA && next < i1) {
        nextRows_ = RowFetcher(tile.a + aTile, tile.depth * 4, tile.aRow, least(i1 - next, kTileRows), tiles);
      }
      computeStrip(tile, k0 == 0, k1 == task_.k, i, static_cast<int>(least(i1 - i, kTileRows)));
    }
  }

  // Computes all columns of a tile's rows, for the first, a middle or the last block of k.
  void computeStrip(TileTask& tile, bool first, bool last, int64_t i, int rows) {
    float* sums = place_.sums + (plan_.blocks > 1 ? i - i0_ : 0) * plan_.columns;
    const int64_t at = offsetC_ + i * task_.ldc + j0_;
    const bool toC = plan_.sumsInC || (last && plan_.direct);
    tile.cIsBf16 = toC && task_.c.isBf16();
    tile.cRow = toC ? task_.ldc : plan_.columns;
    char* c = toC ? static_cast<char*>(const_cast<void*>(elementAt(task_.c, at))) : reinterpret_cast<char*>(sums);
    const int64_t cBytes = tile.cIsBf16 ? 2 : 4;
    const float* addend = plan_.sumsInC ? task_.c.f32() + at : sums;
    const bool adds = !first || (plan_.sumsInC && task_.accumulate);
    tile.addendRow = plan_.sumsInC ? task_.ldc : plan_.columns;
    const float* bias = last && plan_.direct && task_.bias != nullptr ? task_.bias + j0_ : nullptr;
    const int64_t columns = j1_ - j0_;
    TileKernel multiply = tileKernel(plan_.operand, rows, kTileColumns);
    for (int64_t j = 0; j < columns; j += kTileColumns, tile.b += tile.depth * kTileColumns) {
      tile.columns = least(columns - j, kTileColumns);
      if (tile.columns <= kLanes) multiply = tileKernel(plan_.operand, rows, tile.columns);
      tile.c = c + j * cBytes;
      tile.addend = adds ? addend + j : nullptr;
      tile.bias = bias == nullptr ? nullptr : bias + j;
      nextRows_.fetchShare();
      multiply(tile);
    }
    if (!last || plan_.direct) return;
    for (int row = 0; row < rows; row++) {
      finish_(task_, offsetC_ + (i + row) * task_.ldc, i + row, j0_, j1_, sums + row * plan_.columns);
    }
  }

  const GemmTask& task_;
  const Plan& plan_;
  Workplace& place_;
  int64_t i0_, i1_, j0_, j1_;
  Stored a_, b_;
  int64_t offsetC_;
  RowFinish finish_;
  RowFetcher nextRows_;
  bool sumsRows_;
};

// Chunks of one call to the pool.
constexpr int64_t kMostChunks = 1 << 30;

void gemm(const Context& context, const GemmTask& task) {
  if (task.m == 0 || task.n == 0 || task.batch == 0) return;
  const int threads = context.pool.threads();
  const Plan plan = planOf(task, threads);
  const int64_t words = plan.scratchWords();
  // The scratch memory of a thread, with its Workplace after it.
  const int64_t bytes = words * 4 + static_cast<int64_t>(roundUp(sizeof(Workplace), 64));
  Scratch scratch(context.memory, static_cast<size_t>(bytes) * static_cast<size_t>(threads));
  const auto place = [&](int thread) { return scratch.as<char>() + thread * bytes; };
  for (int thread = 0; thread < threads; thread++) {
    *reinterpret_cast<Workplace*>(place(thread) + words * 4) = Workplace(plan, reinterpret_cast<float*>(place(thread)));
  }
  const int64_t tiles = plan.tilesDown * plan.tilesAcross, chunks = tiles * task.batch;
  for (int64_t first = 0; first < chunks; first += kMostChunks) {
    context.pool.run(static_cast<int>(least(chunks - first, kMostChunks)), [&](int chunk, int thread) {
      const int64_t matrix = (first + chunk) / tiles, tile = (first + chunk) % tiles;
      Tile(task, plan, matrix, tile % plan.tilesDown, tile / plan.tilesDown,
           *reinterpret_cast<Workplace*>(place(thread) + words * 4))
          .compute();
    });
  }
}

}  // namespace

extern const GemmKernels gemmKernels;
const GemmKernels gemmKernels = {gemm};

}  // namespace vitrail::VITRAIL_VARIANT
