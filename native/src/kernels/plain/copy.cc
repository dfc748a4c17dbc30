#include "copy.h"

#include "elements.h"
#include "move.h"
#include "simplified.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

constexpr int64_t kUnit = 16384;
// Columns of a unit that is transposed, so few that its lines stay in the first-level cache.
constexpr int64_t kTransposedColumns = 1024;
constexpr int64_t kTransposedRows = 16;

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
int64_t ceilingOf(int64_t a, int64_t b) { return (a + b - 1) / b; }

// A simplified copy of at least two dimensions.
CopyTask planar(const CopyTask& task) {
  CopyTask t = simplified(task);
  if (t.dimensions > 1) return t;
  t.shape[1] = t.shape[0];
  t.stridesX[1] = t.stridesX[0];
  t.stridesY[1] = t.stridesY[0];
  t.shape[0] = t.stridesX[0] = t.stridesY[0] = 1;
  t.dimensions = 2;
  return t;
}

// Copies by planes of the last two dimensions, which are cut into units for the threads.
template <typename T> void copyAs(const Context& context, const CopyTask& task) {
  CopyTask t = planar(task);
  const int q = t.dimensions - 1, p = q - 1;
  bool transposed = false;
  if (t.stridesX[q] != 1 && t.stridesY[q] == 1) {
    for (int d = 0; d < q && !transposed; d++) {
      if (t.stridesX[d] != 1 || t.shape[d] == 1) continue;
      exchange(t, d, p);
      transposed = true;
    }
  }
  const Plane<T> plane = {t.stridesX[p], t.stridesX[q], t.stridesY[p], t.stridesY[q]};
  const int64_t columns = smaller(t.shape[q], transposed ? kTransposedColumns : kUnit);
  const int64_t rows = smaller(t.shape[p], transposed ? kTransposedRows : larger(1, kUnit / columns));
  const int64_t acrossQ = ceilingOf(t.shape[q], columns), acrossP = ceilingOf(t.shape[p], rows);
  int64_t units = acrossQ * acrossP;
  for (int d = 0; d < p; d++) units *= t.shape[d];
  const int64_t atOnce = larger(1, kUnit / (rows * columns));
  context.pool.run(static_cast<int>(ceilingOf(units, atOnce)), [&](int chunk, int) {
    const int64_t end = smaller(units, (chunk + 1) * atOnce);
    for (int64_t unit = chunk * atOnce; unit < end; unit++) {
      const int64_t column = unit % acrossQ * columns, row = unit / acrossQ % acrossP * rows;
      int64_t offsetX = t.offsetX + row * plane.rowX + column * plane.columnX;
      int64_t offsetY = t.offsetY + row * plane.rowY + column * plane.columnY;
      int64_t rest = unit / acrossQ / acrossP;
      for (int d = p - 1; d >= 0; d--) {
        const int64_t index = rest % t.shape[d];
        rest /= t.shape[d];
        offsetX += index * t.stridesX[d];
        offsetY += index * t.stridesY[d];
      }
      movePlane(plane, t.x.as<T>() + offsetX, t.y.as<T>() + offsetY, smaller(rows, t.shape[p] - row),
                smaller(columns, t.shape[q] - column), transposed);
    }
  });
}

void copy(const Context& context, const CopyTask& task) {
  for (int d = 0; d < task.dimensions; d++) {
    if (task.shape[d] == 0) return;
  }
  switch (bytesOf(task.x.storage)) {
    case 1: return copyAs<uint8_t>(context, task);
    case 2: return copyAs<uint16_t>(context, task);
    default: return copyAs<uint32_t>(context, task);
  }
}

void gather(const Context& context, const GatherTask& t) {
  const size_t bytes = bytesOf(t.x.storage), row = static_cast<size_t>(t.inner) * bytes;
  if (row == 0) return;
  const int64_t units = t.outer * t.count, atOnce = larger(1, kUnit / t.inner);
  context.pool.run(static_cast<int>(ceilingOf(units, atOnce)), [&](int chunk, int) {
    const int64_t end = smaller(units, (chunk + 1) * atOnce);
    for (int64_t unit = chunk * atOnce; unit < end; unit++) {
      const size_t from = static_cast<size_t>(unit / t.count * t.axis + t.indices[unit % t.count]);
      memcpy(t.y.as<char>() + static_cast<size_t>(unit) * row, t.x.as<char>() + from * row, row);
    }
  });
}

template <typename T> void selectAs(const Context& context, const uint8_t* condition, Array a, Array b, Array y) {
  eachChunk(context, y.length, [&](size_t start, size_t end) {
    const T *yes = a.as<T>(), *no = b.as<T>();
    T* to = y.as<T>();
    for (size_t i = start; i < end; i++) to[i] = condition[i] != 0 ? yes[i] : no[i];
  });
}

void select(const Context& context, const uint8_t* condition, Array a, Array b, Array y) {
  switch (bytesOf(y.storage)) {
    case 1: return selectAs<uint8_t>(context, condition, a, b, y);
    case 2: return selectAs<uint16_t>(context, condition, a, b, y);
    default: return selectAs<uint32_t>(context, condition, a, b, y);
  }
}

template <typename T> void fillAs(const Context& context, Array y, T value) {
  eachChunk(context, y.length, [&](size_t start, size_t end) {
    T* to = y.as<T>();
    for (size_t i = start; i < end; i++) to[i] = value;
  });
}

void fill(const Context& context, Array y, double value) {
  switch (y.storage) {
    case Storage::f32: return fillAs(context, y, static_cast<float>(value));
    case Storage::bf16: return fillAs(context, y, toBf16(static_cast<float>(value)));
    case Storage::i32: return fillAs(context, y, toWhole(value));
    case Storage::u8: return fillAs(context, y, static_cast<uint8_t>(value != 0));
  }
}

template <typename X, typename Y, typename F> void convertBy(const Context& c, Array x, Array y, const F& f) {
  eachChunk(c, x.length, [&](size_t start, size_t end) {
    const X* from = x.as<X>();
    Y* to = y.as<Y>();
    for (size_t i = start; i < end; i++) to[i] = f(from[i]);
  });
}

// `read` gives a float or a whole number.
template <typename X, typename F> void convertFrom(const Context& c, Array x, Array y, const F& read) {
  switch (y.storage) {
    case Storage::f32: return convertBy<X, float>(c, x, y, [&](X v) { return static_cast<float>(read(v)); });
    case Storage::bf16:
      return convertBy<X, uint16_t>(c, x, y, [&](X v) { return toBf16(static_cast<float>(read(v))); });
    case Storage::i32: return convertBy<X, int32_t>(c, x, y, [&](X v) { return toWhole(read(v)); });
    case Storage::u8: return convertBy<X, uint8_t>(c, x, y, [&](X v) { return static_cast<uint8_t>(read(v) != 0); });
  }
}

void convert(const Context& c, Array x, Array y) {
  switch (x.storage) {
    case Storage::f32: return convertFrom<float>(c, x, y, [](float v) { return v; });
    case Storage::bf16: return convertFrom<uint16_t>(c, x, y, [](uint16_t v) { return fromBf16(v); });
    case Storage::i32: return convertFrom<int32_t>(c, x, y, [](int32_t v) { return v; });
    case Storage::u8: return convertFrom<uint8_t>(c, x, y, [](uint8_t v) { return static_cast<int32_t>(v != 0); });
  }
}

}  // namespace

extern const CopyKernels copyKernels;
const CopyKernels copyKernels = {copy, gather, select, fill, convert};

}  // namespace vitrail::VITRAIL_VARIANT
