#include "binary.h"

#include "collapsed.h"
#include "elements.h"
#include "power.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

// y [count] from a and b, with steps in elements.
using Row = void (*)(const void* a, int64_t stepA, const void* b, int64_t stepB, void* y, int64_t count);

// For frequent ops: loops that compilers can vectorise, one for each of the usual steps.
template <typename T, typename R, typename F>
void fastRow(const void* left, int64_t stepA, const void* right, int64_t stepB, void* result, int64_t count) {
  const T *a = static_cast<const T*>(left), *b = static_cast<const T*>(right);
  R* y = static_cast<R*>(result);
  if (stepA == 1 && stepB == 1) {
    for (int64_t i = 0; i < count; i++) y[i] = F::of(a[i], b[i]);
  } else if (stepA == 1 && stepB == 0) {
    const T value = *b;
    for (int64_t i = 0; i < count; i++) y[i] = F::of(a[i], value);
  } else if (stepA == 0 && stepB == 1) {
    const T value = *a;
    for (int64_t i = 0; i < count; i++) y[i] = F::of(value, b[i]);
  } else {
    for (int64_t i = 0; i < count; i++) y[i] = F::of(a[i * stepA], b[i * stepB]);
  }
}
// For the other ops: one loop, which compiles quickly.
template <typename T, typename R, typename F>
void plainRow(const void* left, int64_t stepA, const void* right, int64_t stepB, void* result, int64_t count) {
  const T *a = static_cast<const T*>(left), *b = static_cast<const T*>(right);
  R* y = static_cast<R*>(result);
  for (int64_t i = 0; i < count; i++) y[i] = F::of(a[i * stepA], b[i * stepB]);
}

void walk(const Context& context, const BinaryTask& task, Row row) {
  const BinaryTask t = collapsed(task);
  const int64_t bytesIn = static_cast<int64_t>(bytesOf(t.a.storage)),
                bytesOut = static_cast<int64_t>(bytesOf(t.y.storage));
  int64_t length = 1;
  for (int d = 0; d < t.dimensions; d++) length *= t.shape[d];
  eachChunk(context, static_cast<size_t>(length), [&](size_t from, size_t to) {
    const int inner = t.dimensions - 1;
    const int64_t end = static_cast<int64_t>(to);
    // The start of the chunk.
    int64_t index[kMostDimensions], offsetA = 0, offsetB = 0, rest = static_cast<int64_t>(from);
    for (int d = inner; d >= 0; d--) {
      index[d] = rest % t.shape[d];
      rest /= t.shape[d];
      offsetA += index[d] * t.stridesA[d];
      offsetB += index[d] * t.stridesB[d];
    }
    for (int64_t at = static_cast<int64_t>(from); at < end;) {
      const int64_t left = t.shape[inner] - index[inner];
      const int64_t count = left < end - at ? left : end - at;
      row(t.a.as<char>() + offsetA * bytesIn, t.stridesA[inner], t.b.as<char>() + offsetB * bytesIn, t.stridesB[inner],
          t.y.as<char>() + at * bytesOut, count);
      at += count;
      // Goes on to the start of the next row. After a part of a row, the chunk is at its end.
      offsetA -= index[inner] * t.stridesA[inner];
      offsetB -= index[inner] * t.stridesB[inner];
      index[inner] = 0;
      for (int d = inner - 1; d >= 0; d--) {
        offsetA += t.stridesA[d];
        offsetB += t.stridesB[d];
        if (++index[d] < t.shape[d]) break;
        offsetA -= index[d] * t.stridesA[d];
        offsetB -= index[d] * t.stridesB[d];
        index[d] = 0;
      }
    }
  });
}

// The quotient rounded down.
inline float floorQuotient(float a, float b) { return __builtin_floorf(a / b); }
inline int32_t floorQuotient(int32_t a, int32_t b) {
  if (b == 0) return 0;
  const int64_t quotient = static_cast<int64_t>(a) / b;
  return static_cast<int32_t>(quotient * b != a && (a < 0) != (b < 0) ? quotient - 1 : quotient);
}

// tfjs's modulus: the remainder has the sign of the dividend if both signs are equal, else that of the
// divisor.
inline float modulus(float a, float b) {
  const double remainder = __builtin_fmod(a, b);
  if ((a < 0 && b < 0) || (a >= 0 && b >= 0)) return static_cast<float>(remainder);
  return static_cast<float>(__builtin_fmod(remainder + b, b));
}
inline int32_t modulus(int32_t a, int32_t b) {
  if (b == 0) return 0;
  const int64_t remainder = static_cast<int64_t>(a) % b;
  if ((a < 0) == (b < 0)) return static_cast<int32_t>(remainder);
  return static_cast<int32_t>((remainder + b) % b);
}

template <typename T> struct Functions {
  // clang-format off: a table, a line each
  struct Add { static T of(T a, T b) { return a + b; } };
  struct Sub { static T of(T a, T b) { return a - b; } };
  struct Mul { static T of(T a, T b) { return a * b; } };
  struct Div { static T of(T a, T b) { return a / b; } };
  struct SquaredDifference { static T of(T a, T b) { return (a - b) * (a - b); } };
  // NaN on either side gives NaN.
  struct Maximum { static T of(T a, T b) { return a > b || a != a ? a : b; } };
  struct Minimum { static T of(T a, T b) { return a < b || a != a ? a : b; } };
  struct Equal { static uint8_t of(T a, T b) { return a == b; } };
  struct NotEqual { static uint8_t of(T a, T b) { return a != b; } };
  struct Less { static uint8_t of(T a, T b) { return a < b; } };
  struct LessEqual { static uint8_t of(T a, T b) { return a <= b; } };
  struct Greater { static uint8_t of(T a, T b) { return a > b; } };
  struct GreaterEqual { static uint8_t of(T a, T b) { return a >= b; } };
  struct And { static uint8_t of(T a, T b) { return a != 0 && b != 0; } };
  struct Or { static uint8_t of(T a, T b) { return a != 0 || b != 0; } };
  struct Power { static T of(T a, T b) { return power(a, b); } };
  struct FloorDiv { static T of(T a, T b) { return floorQuotient(a, b); } };
  struct Mod { static T of(T a, T b) { return modulus(a, b); } };
  // clang-format on
};

Row floatRow(BinaryOp op) {
  using F = Functions<float>;
  switch (op) {
    case BinaryOp::add: return fastRow<float, float, F::Add>;
    case BinaryOp::sub: return fastRow<float, float, F::Sub>;
    case BinaryOp::mul: return fastRow<float, float, F::Mul>;
    case BinaryOp::div: return fastRow<float, float, F::Div>;
    case BinaryOp::maximum: return fastRow<float, float, F::Maximum>;
    case BinaryOp::minimum: return fastRow<float, float, F::Minimum>;
    case BinaryOp::squaredDifference: return fastRow<float, float, F::SquaredDifference>;
    case BinaryOp::equal: return plainRow<float, uint8_t, F::Equal>;
    case BinaryOp::notEqual: return plainRow<float, uint8_t, F::NotEqual>;
    case BinaryOp::less: return plainRow<float, uint8_t, F::Less>;
    case BinaryOp::lessEqual: return plainRow<float, uint8_t, F::LessEqual>;
    case BinaryOp::greater: return plainRow<float, uint8_t, F::Greater>;
    case BinaryOp::greaterEqual: return plainRow<float, uint8_t, F::GreaterEqual>;
    case BinaryOp::pow: return plainRow<float, float, F::Power>;
    case BinaryOp::floorDiv: return plainRow<float, float, F::FloorDiv>;
    default: return plainRow<float, float, F::Mod>;
  }
}

Row wholeRow(BinaryOp op) {
  using F = Functions<int32_t>;
  // Unsigned, because a signed overflow is undefined.
  using W = Functions<uint32_t>;
  switch (op) {
    case BinaryOp::add: return plainRow<uint32_t, uint32_t, W::Add>;
    case BinaryOp::sub: return plainRow<uint32_t, uint32_t, W::Sub>;
    case BinaryOp::mul: return plainRow<uint32_t, uint32_t, W::Mul>;
    case BinaryOp::squaredDifference: return plainRow<uint32_t, uint32_t, W::SquaredDifference>;
    case BinaryOp::maximum: return plainRow<int32_t, int32_t, F::Maximum>;
    case BinaryOp::minimum: return plainRow<int32_t, int32_t, F::Minimum>;
    case BinaryOp::equal: return plainRow<int32_t, uint8_t, F::Equal>;
    case BinaryOp::notEqual: return plainRow<int32_t, uint8_t, F::NotEqual>;
    case BinaryOp::less: return plainRow<int32_t, uint8_t, F::Less>;
    case BinaryOp::lessEqual: return plainRow<int32_t, uint8_t, F::LessEqual>;
    case BinaryOp::greater: return plainRow<int32_t, uint8_t, F::Greater>;
    case BinaryOp::greaterEqual: return plainRow<int32_t, uint8_t, F::GreaterEqual>;
    case BinaryOp::pow: return plainRow<int32_t, int32_t, F::Power>;
    case BinaryOp::floorDiv: return plainRow<int32_t, int32_t, F::FloorDiv>;
    default: return plainRow<int32_t, int32_t, F::Mod>;
  }
}

void binary(const Context& c, BinaryOp op, const BinaryTask& t) {
  if (op == BinaryOp::logicalAnd) return walk(c, t, plainRow<uint8_t, uint8_t, Functions<uint8_t>::And>);
  if (op == BinaryOp::logicalOr) return walk(c, t, plainRow<uint8_t, uint8_t, Functions<uint8_t>::Or>);
  walk(c, t, t.a.storage == Storage::i32 ? wholeRow(op) : floatRow(op));
}

}  // namespace

extern const BinaryKernels binaryKernels;
const BinaryKernels binaryKernels = {binary};

}  // namespace vitrail::VITRAIL_VARIANT
