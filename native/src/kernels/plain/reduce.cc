#include "reduce.h"

#include "elements.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

// Columns that are reduced at the same time.
constexpr int kTile = 256;
// Rows are divided into pieces of about this many elements.
constexpr int64_t kPiece = 65536;
// Values of a block, which is then added to the total.
constexpr int64_t kFold = 128;
// The most bytes of a total.
constexpr int64_t kTotalBytes = 8;

// Policies that say how values are reduced to a block, and blocks to a total.
struct FloatSum {
  using Value = float;
  using Block = float;
  using Total = double;
  static constexpr Block kStart = 0;
  static Block add(Block block, Value value) { return block + value; }
  static Total merge(Total a, Total b) { return a + b; }
};
struct FloatProduct {
  using Value = float;
  using Block = float;
  using Total = double;
  static constexpr Block kStart = 1;
  static Block add(Block block, Value value) { return block * value; }
  static Total merge(Total a, Total b) { return a * b; }
};
template <typename T> struct Whole {
  using Value = T;
  using Block = T;
  using Total = T;
};
struct WholeSum : Whole<uint32_t> {
  static constexpr uint32_t kStart = 0;
  static uint32_t add(uint32_t a, uint32_t b) { return a + b; }
  static uint32_t merge(uint32_t a, uint32_t b) { return a + b; }
};
struct WholeProduct : Whole<uint32_t> {
  static constexpr uint32_t kStart = 1;
  static uint32_t add(uint32_t a, uint32_t b) { return a * b; }
  static uint32_t merge(uint32_t a, uint32_t b) { return a * b; }
};
// For floats: NaN stays once it has come.
template <typename T> struct Lowest;
template <> struct Lowest<float> {
  static constexpr float kValue = -__builtin_inff();
};
template <> struct Lowest<int32_t> {
  static constexpr int32_t kValue = INT32_MIN;
};
template <typename T> struct Maximum : Whole<T> {
  static constexpr T kStart = Lowest<T>::kValue;
  static T add(T a, T b) { return a > b || a != a ? a : b; }
  static T merge(T a, T b) { return add(a, b); }
};
template <typename T> struct Highest;
template <> struct Highest<float> {
  static constexpr float kValue = __builtin_inff();
};
template <> struct Highest<int32_t> {
  static constexpr int32_t kValue = INT32_MAX;
};
template <typename T> struct Minimum : Whole<T> {
  static constexpr T kStart = Highest<T>::kValue;
  static T add(T a, T b) { return a < b || a != a ? a : b; }
  static T merge(T a, T b) { return add(a, b); }
};
struct All : Whole<uint8_t> {
  static constexpr uint8_t kStart = 1;
  static uint8_t add(uint8_t a, uint8_t b) { return static_cast<uint8_t>(a & (b != 0)); }
  static uint8_t merge(uint8_t a, uint8_t b) { return add(a, b); }
};
struct Any : Whole<uint8_t> {
  static constexpr uint8_t kStart = 0;
  static uint8_t add(uint8_t a, uint8_t b) { return static_cast<uint8_t>(a | (b != 0)); }
  static uint8_t merge(uint8_t a, uint8_t b) { return add(a, b); }
};

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
int64_t ceilingOf(int64_t a, int64_t b) { return (a + b - 1) / b; }

// A policy's work on untyped memory, so that the walk around it is compiled only once.
struct Steps {
  // Totals [width] of x [rows, width] whose rows are `stride` elements apart.
  void (*columns)(const void* x, int64_t stride, int64_t rows, int64_t width, void* totals);
  // One total of x [count].
  void (*line)(const void* x, int64_t count, void* total);
  // Adds totals [width] to others.
  void (*merge)(void* totals, const void* more, int64_t width);
  // Computes results from totals, and multiplies them by `scale` unless that is 1.
  void (*finish)(const void* totals, int64_t width, double scale, void* y, int64_t at);
};

template <typename P> struct StepsOf {
  using Value = typename P::Value;
  using Total = typename P::Total;

  __attribute__((noinline)) static void add(const Value* x, int64_t stride, int64_t rows, int64_t width,
                                            Total* totals) {
    for (int64_t first = 0; first < rows; first += kFold) {
      typename P::Block block[kTile];
      for (int64_t i = 0; i < width; i++) block[i] = P::kStart;
      const int64_t end = smaller(first + kFold, rows);
      for (int64_t r = first; r < end; r++) {
        const Value* row = x + r * stride;
        for (int64_t i = 0; i < width; i++) block[i] = P::add(block[i], row[i]);
      }
      for (int64_t i = 0; i < width; i++) totals[i] = P::merge(totals[i], static_cast<Total>(block[i]));
    }
  }
  __attribute__((noinline)) static void columns(const void* x, int64_t stride, int64_t rows, int64_t width, void* to) {
    Total* totals = static_cast<Total*>(to);
    for (int64_t i = 0; i < width; i++) totals[i] = static_cast<Total>(P::kStart);
    add(static_cast<const Value*>(x), stride, rows, width, totals);
  }
  // Treats the values as a matrix. Its columns are reduced first, and then their totals in a binary tree.
  static void line(const void* x, int64_t count, void* to) {
    const int64_t width = count < 512 ? 16 : 64, rows = count / width;
    Total totals[64];
    columns(x, width, rows, width, totals);
    add(static_cast<const Value*>(x) + rows * width, width, 1, count % width, totals);
    for (int64_t half = width / 2; half > 0; half /= 2) merge(totals, totals + half, half);
    *static_cast<Total*>(to) = totals[0];
  }
  static void merge(void* to, const void* more, int64_t width) {
    Total* totals = static_cast<Total*>(to);
    for (int64_t i = 0; i < width; i++) totals[i] = P::merge(totals[i], static_cast<const Total*>(more)[i]);
  }
  static void finish(const void* totals, int64_t width, double scale, void* y, int64_t at) {
    for (int64_t i = 0; i < width; i++) {
      const Total total = static_cast<const Total*>(totals)[i];
      static_cast<Value*>(y)[at + i] = static_cast<Value>(scale == 1 ? total : static_cast<Total>(total * scale));
    }
  }
  static constexpr Steps kSteps = {columns, line, merge, finish};
};

void walk(const Context& context, const ReduceTask& t, const Steps& steps, double scale) {
  const int64_t results = t.outer * t.inner, bytes = static_cast<int64_t>(bytesOf(t.x.storage));
  if (results == 0) return;
  // Pieces depend only on the sizes, and so do the bits.
  const int64_t width = smaller(t.inner, kTile), tiles = ceilingOf(t.inner, width);
  const int64_t pieceRows = larger(1, kPiece / width), pieces = larger(1, ceilingOf(t.length, pieceRows));
  const int64_t units = t.outer * pieces * tiles;
  const int64_t atOnce =
      larger(1, static_cast<int64_t>(kElementChunk) / larger(1, smaller(t.length, pieceRows) * width));
  Scratch partials(context.memory, static_cast<size_t>(pieces > 1 ? units * width * kTotalBytes : 0));
  context.pool.run(static_cast<int>(ceilingOf(units, atOnce)), [&](int chunk, int) {
    const int64_t last = smaller(units, (chunk + 1) * atOnce);
    for (int64_t unit = chunk * atOnce; unit < last; unit++) {
      const int64_t piece = unit % pieces, column = unit / pieces % tiles * width, outer = unit / pieces / tiles;
      const int64_t first = piece * pieceRows, rows = smaller(t.length - first, pieceRows);
      const char* x = t.x.as<char>() + ((outer * t.length + first) * t.inner + column) * bytes;
      alignas(8) char own[kTile * kTotalBytes];
      char* totals = pieces > 1 ? partials.as<char>() + unit * width * kTotalBytes : own;
      const int64_t count = smaller(width, t.inner - column);
      if (t.inner == 1) steps.line(x, rows, totals);
      else steps.columns(x, t.inner, rows, count, totals);
      if (pieces == 1) steps.finish(totals, count, scale, t.y.data, outer * t.inner + column);
    }
  });
  if (pieces == 1) return;
  for (int64_t tile = 0; tile < t.outer * tiles; tile++) {
    char* totals = partials.as<char>() + tile * pieces * width * kTotalBytes;
    const int64_t column = tile % tiles * width, count = smaller(width, t.inner - column);
    for (int64_t piece = 1; piece < pieces; piece++) steps.merge(totals, totals + piece * width * kTotalBytes, count);
    steps.finish(totals, count, scale, t.y.data, tile / tiles * t.inner + column);
  }
}

// `scale` multiplies the totals of a mean; it is 1 for all else.
template <typename P> void reduceBy(const Context& context, const ReduceTask& t, double scale = 1) {
  walk(context, t, StepsOf<P>::kSteps, scale);
}

// `before(a, b)` says whether a is preferred to b.
template <typename T, typename Before>
void argument(const Context& context, const ReduceTask& t, const Before& before) {
  if (t.outer * t.inner == 0) return;
  const int64_t width = smaller(t.inner, kTile), tiles = ceilingOf(t.inner, width), units = t.outer * tiles;
  const int64_t unitsAtOnce = larger(1, static_cast<int64_t>(kElementChunk) / larger(1, t.length * width));
  context.pool.run(static_cast<int>(ceilingOf(units, unitsAtOnce)), [&](int chunk, int) {
    const int64_t last = smaller(units, (chunk + 1) * unitsAtOnce);
    for (int64_t unit = chunk * unitsAtOnce; unit < last; unit++) {
      const int64_t outer = unit / tiles, column = unit % tiles * width;
      const int count = static_cast<int>(smaller(width, t.inner - column));
      const T* from = t.x.as<T>() + outer * t.length * t.inner + column;
      int32_t* to = t.y.as<int32_t>() + outer * t.inner + column;
      T best[kTile];
      for (int i = 0; i < count; i++) {
        best[i] = t.length > 0 ? from[i] : T{};
        to[i] = 0;
      }
      for (int64_t r = 1; r < t.length; r++) {
        for (int i = 0; i < count; i++) {
          const T value = from[r * t.inner + i];
          const bool better = before(value, best[i]);
          best[i] = better ? value : best[i];
          to[i] = better ? static_cast<int32_t>(r) : to[i];
        }
      }
    }
  });
}

void floats(const Context& c, ReduceOp op, const ReduceTask& t) {
  switch (op) {
    case ReduceOp::sum: return reduceBy<FloatSum>(c, t);
    // The mean of no values is NaN: 0 x infinity.
    case ReduceOp::mean:
      return reduceBy<FloatSum>(c, t, t.length > 0 ? 1.0 / static_cast<double>(t.length) : __builtin_inf());
    case ReduceOp::max: return reduceBy<Maximum<float>>(c, t);
    case ReduceOp::min: return reduceBy<Minimum<float>>(c, t);
    case ReduceOp::prod: return reduceBy<FloatProduct>(c, t);
    case ReduceOp::argMax: return argument<float>(c, t, [](float a, float b) { return a > b; });
    default: return argument<float>(c, t, [](float a, float b) { return a < b; });
  }
}

void reduce(const Context& c, ReduceOp op, const ReduceTask& t) {
  if (op == ReduceOp::all) return reduceBy<All>(c, t);
  if (op == ReduceOp::any) return reduceBy<Any>(c, t);
  if (t.x.storage == Storage::f32) return floats(c, op, t);
  switch (op) {
    case ReduceOp::sum: return reduceBy<WholeSum>(c, t);
    case ReduceOp::max: return reduceBy<Maximum<int32_t>>(c, t);
    case ReduceOp::min: return reduceBy<Minimum<int32_t>>(c, t);
    case ReduceOp::prod: return reduceBy<WholeProduct>(c, t);
    case ReduceOp::argMax: return argument<int32_t>(c, t, [](int32_t a, int32_t b) { return a > b; });
    default: return argument<int32_t>(c, t, [](int32_t a, int32_t b) { return a < b; });
  }
}

}  // namespace

extern const ReduceKernels reduceKernels;
const ReduceKernels reduceKernels = {reduce};

}  // namespace vitrail::VITRAIL_VARIANT
