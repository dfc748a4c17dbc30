// Moves planes of elements between strides, and single elements between storages.
#pragma once
#include "../vector.h"

namespace vitrail::VITRAIL_VARIANT {

// Elements from one row to the next, and from one column to the next.
template <typename T> struct Plane {
  int64_t rowX, columnX, rowY, columnY;
};

// y [rows, columns] with columns side by side = x with rows side by side.
template <typename T>
VITRAIL_INLINE void transposeSome(const T* x, int64_t columnX, T* y, int64_t rowY, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = 0; c < columns; c++) y[r * rowY + c] = x[c * columnX + r];
  }
}

#if defined(__x86_64__)
VITRAIL_INLINE void transpose4(const uint32_t* x, int64_t columnX, uint32_t* y, int64_t rowY) {
  // Moves only bits, whatever they mean as floats.
  __m128 a, b, c, d;
  memcpy(&a, x, 16);
  memcpy(&b, x + columnX, 16);
  memcpy(&c, x + 2 * columnX, 16);
  memcpy(&d, x + 3 * columnX, 16);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  memcpy(y, &a, 16);
  memcpy(y + rowY, &b, 16);
  memcpy(y + 2 * rowY, &c, 16);
  memcpy(y + 3 * rowY, &d, 16);
}
#else
VITRAIL_INLINE void transpose4(const uint32_t* x, int64_t columnX, uint32_t* y, int64_t rowY) {
  transposeSome(x, columnX, y, rowY, 4, 4);
}
#endif

inline void transposePlane(const uint32_t* x, int64_t columnX, uint32_t* y, int64_t rowY, int64_t rows,
                           int64_t columns) {
  const int64_t evenRows = rows / 4 * 4, evenColumns = columns / 4 * 4;
  for (int64_t c = 0; c < evenColumns; c += 4) {
    for (int64_t r = 0; r < evenRows; r += 4) transpose4(x + c * columnX + r, columnX, y + r * rowY + c, rowY);
  }
  transposeSome(x + evenRows, columnX, y + evenRows * rowY, rowY, rows - evenRows, columns);
  transposeSome(x + evenColumns * columnX, columnX, y + evenColumns, rowY, evenRows, columns - evenColumns);
}
template <typename T>
void transposePlane(const T* x, int64_t columnX, T* y, int64_t rowY, int64_t rows, int64_t columns) {
  transposeSome(x, columnX, y, rowY, rows, columns);
}

// `transposed`: rows lie side by side in x, columns in y.
template <typename T>
void movePlane(const Plane<T>& plane, const T* x, T* y, int64_t rows, int64_t columns, bool transposed) {
  if (transposed) return transposePlane(x, plane.columnX, y, plane.rowY, rows, columns);
  for (int64_t r = 0; r < rows; r++) {
    const T* from = x + r * plane.rowX;
    T* to = y + r * plane.rowY;
    if (plane.columnX == 1 && plane.columnY == 1) {
      memcpy(to, from, static_cast<size_t>(columns) * sizeof(T));
    } else {
      for (int64_t c = 0; c < columns; c++) to[c * plane.columnY] = from[c * plane.columnX];
    }
  }
}

VITRAIL_INLINE float fromBf16(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
// To nearest, halves to even; NaN stays NaN.
VITRAIL_INLINE uint16_t toBf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return static_cast<uint16_t>(value != value ? bits >> 16 | 0x40 : rounded);
}

// ECMAScript's ToInt32: cut off, modulo 2^32; 0 for NaN and infinities.
inline int32_t toWhole(double value) {
  if (value > -2147483649.0 && value < 2147483648.0) return static_cast<int32_t>(value);
  const double rest = __builtin_fmod(value, 4294967296.0);
  return rest == rest ? static_cast<int32_t>(static_cast<uint32_t>(static_cast<int64_t>(rest))) : 0;
}
VITRAIL_INLINE int32_t toWhole(int32_t value) { return value; }

}  // namespace vitrail::VITRAIL_VARIANT
