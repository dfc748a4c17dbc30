// Functions of two arrays with broadcasting. A thread writes eight neighbours.
#include "../../../kernels/plain/collapsed.h"

#include "map.h"

namespace vitrail::cuda {

namespace {

// The positions of the operands of one element of y, and the number of elements from it to the end of its row.
struct Place {
  size_t a = 0, b = 0, left = 0;
};

__device__ __forceinline__ Place placeOf(const BinaryTask& t, size_t at) {
  Place place;
  size_t rest = at;
  for (int d = t.dimensions - 1; d >= 0; d--) {
    const size_t size = static_cast<size_t>(t.shape[d]);
    const size_t next = d > 0 ? rest / size : 0;
    const size_t index = rest - next * size;
    place.a += index * static_cast<size_t>(t.stridesA[d]);
    place.b += index * static_cast<size_t>(t.stridesB[d]);
    if (d == t.dimensions - 1) place.left = size - index;
    rest = next;
  }
  return place;
}

template <typename T> __device__ __forceinline__ Pack<T> operands(const T* from, int64_t step) {
  Pack<T> pack;
  if (step == 1 && reinterpret_cast<uintptr_t>(from) % sizeof(PackWord<T>) == 0) return packAt(from);
  if (step == 0) {
    const T value = *from;
    for (T& v : pack.v) v = value;
  } else {
    for (int j = 0; j < kGroup; j++) pack.v[j] = from[j * step];
  }
  return pack;
}

template <typename F, typename T, typename Y> __global__ void binaryKernel(F function, BinaryTask t, size_t length) {
  const size_t at = (size_t{blockIdx.x} * blockDim.x + threadIdx.x) * kGroup;
  if (at >= length) return;
  const T *a = t.a.as<const T>(), *b = t.b.as<const T>();
  Y* y = t.y.as<Y>();
  const Place place = placeOf(t, at);
  if (place.left >= kGroup) {
    const int inner = t.dimensions - 1;
    const Pack<T> left = operands(a + place.a, t.stridesA[inner]), right = operands(b + place.b, t.stridesB[inner]);
    setPack(y + at, mapped<Y>(function, left, right));
  } else {
    // Neighbours of several rows, or the end of y.
    const size_t end = min(at + kGroup, length);
    for (size_t i = at; i < end; i++) {
      const Place each = placeOf(t, i);
      y[i] = function(a[each.a], b[each.b]);
    }
  }
}

// clang-format off: a table, a line each
struct Add { template <typename T> __device__ T operator()(T a, T b) const { return a + b; } };
struct Sub { template <typename T> __device__ T operator()(T a, T b) const { return a - b; } };
struct Mul { template <typename T> __device__ T operator()(T a, T b) const { return a * b; } };
struct Div { template <typename T> __device__ T operator()(T a, T b) const { return a / b; } };
// clang-format on
struct SquaredDifference {
  template <typename T> __device__ T operator()(T a, T b) const { return (a - b) * (a - b); }
};
// NaN on either side gives NaN.
// clang-format off: a table, a line each
struct Maximum { template <typename T> __device__ T operator()(T a, T b) const { return a > b || a != a ? a : b; } };
struct Minimum { template <typename T> __device__ T operator()(T a, T b) const { return a < b || a != a ? a : b; } };
struct Equal { template <typename T> __device__ uint8_t operator()(T a, T b) const { return a == b; } };
struct NotEqual { template <typename T> __device__ uint8_t operator()(T a, T b) const { return a != b; } };
struct Less { template <typename T> __device__ uint8_t operator()(T a, T b) const { return a < b; } };
struct LessEqual { template <typename T> __device__ uint8_t operator()(T a, T b) const { return a <= b; } };
struct Greater { template <typename T> __device__ uint8_t operator()(T a, T b) const { return a > b; } };
struct GreaterEqual { template <typename T> __device__ uint8_t operator()(T a, T b) const { return a >= b; } };
struct And { __device__ uint8_t operator()(uint8_t a, uint8_t b) const { return a != 0 && b != 0; } };
struct Or { __device__ uint8_t operator()(uint8_t a, uint8_t b) const { return a != 0 || b != 0; } };
// clang-format on

struct Power {
  // ECMAScript's result is NaN, while C gives numbers for 1^NaN and (+-1)^(+-infinity).
  __device__ float operator()(float x, float y) const {
    if (y == 0) return 1;
    if (x != x || y != y) return x + y;
    if (fabsf(x) == 1 && fabsf(y) == INFINITY) return NAN;
    return powf(x, y);
  }
  // Modulo 2^32. A negative exponent gives the truncated fraction.
  __device__ int32_t operator()(int32_t x, int32_t y) const {
    if (y < 0) return x == 1 ? 1 : x == -1 ? ((y & 1) != 0 ? -1 : 1) : 0;
    uint32_t result = 1, base = static_cast<uint32_t>(x);
    for (uint32_t rest = static_cast<uint32_t>(y); rest > 0; rest >>= 1) {
      if ((rest & 1) != 0) result *= base;
      base *= base;
    }
    return static_cast<int32_t>(result);
  }
};

struct FloorDiv {
  __device__ float operator()(float a, float b) const { return floorf(a / b); }
  __device__ int32_t operator()(int32_t a, int32_t b) const {
    if (b == 0) return 0;
    // The lowest number has no opposite. Modulo 2^32 it is its own.
    if (b == -1) return static_cast<int32_t>(0 - static_cast<uint32_t>(a));
    const int32_t quotient = a / b;
    return quotient * b != a && (a < 0) != (b < 0) ? quotient - 1 : quotient;
  }
};

// tfjs's modulus: the remainder has the sign of the dividend if both signs are equal, else that of the
// divisor.
struct Mod {
  __device__ float operator()(float a, float b) const {
    const float remainder = fmodf(a, b);
    if ((a < 0 && b < 0) || (a >= 0 && b >= 0)) return remainder;
    return static_cast<float>(fmod(static_cast<double>(remainder) + static_cast<double>(b), static_cast<double>(b)));
  }
  __device__ int32_t operator()(int32_t a, int32_t b) const {
    if (b == 0 || b == -1) return 0;
    const int32_t remainder = a % b;
    return (a < 0) == (b < 0) ? remainder : (remainder + b) % b;
  }
};

template <typename T, typename Y, typename F> void walk(const Context& context, const BinaryTask& task, F function) {
  size_t length = 1;
  for (int d = 0; d < task.dimensions; d++) length *= static_cast<size_t>(task.shape[d]);
  const Grid grid = {blocksFor(length, kGroup * kMapThreads), kMapThreads};
  launch(context, binaryKernel<F, T, Y>, grid, function, collapsed(task), length);
}

void floats(const Context& c, BinaryOp op, const BinaryTask& t) {
  switch (op) {
    case BinaryOp::add: return walk<float, float>(c, t, Add{});
    case BinaryOp::sub: return walk<float, float>(c, t, Sub{});
    case BinaryOp::mul: return walk<float, float>(c, t, Mul{});
    case BinaryOp::div: return walk<float, float>(c, t, Div{});
    case BinaryOp::maximum: return walk<float, float>(c, t, Maximum{});
    case BinaryOp::minimum: return walk<float, float>(c, t, Minimum{});
    case BinaryOp::squaredDifference: return walk<float, float>(c, t, SquaredDifference{});
    case BinaryOp::equal: return walk<float, uint8_t>(c, t, Equal{});
    case BinaryOp::notEqual: return walk<float, uint8_t>(c, t, NotEqual{});
    case BinaryOp::less: return walk<float, uint8_t>(c, t, Less{});
    case BinaryOp::lessEqual: return walk<float, uint8_t>(c, t, LessEqual{});
    case BinaryOp::greater: return walk<float, uint8_t>(c, t, Greater{});
    case BinaryOp::greaterEqual: return walk<float, uint8_t>(c, t, GreaterEqual{});
    case BinaryOp::pow: return walk<float, float>(c, t, Power{});
    case BinaryOp::floorDiv: return walk<float, float>(c, t, FloorDiv{});
    default: return walk<float, float>(c, t, Mod{});
  }
}

void whole(const Context& c, BinaryOp op, const BinaryTask& t) {
  switch (op) {
    // Unsigned, because a signed overflow is undefined.
    case BinaryOp::add: return walk<uint32_t, uint32_t>(c, t, Add{});
    case BinaryOp::sub: return walk<uint32_t, uint32_t>(c, t, Sub{});
    case BinaryOp::mul: return walk<uint32_t, uint32_t>(c, t, Mul{});
    case BinaryOp::squaredDifference: return walk<uint32_t, uint32_t>(c, t, SquaredDifference{});
    case BinaryOp::maximum: return walk<int32_t, int32_t>(c, t, Maximum{});
    case BinaryOp::minimum: return walk<int32_t, int32_t>(c, t, Minimum{});
    case BinaryOp::equal: return walk<int32_t, uint8_t>(c, t, Equal{});
    case BinaryOp::notEqual: return walk<int32_t, uint8_t>(c, t, NotEqual{});
    case BinaryOp::less: return walk<int32_t, uint8_t>(c, t, Less{});
    case BinaryOp::lessEqual: return walk<int32_t, uint8_t>(c, t, LessEqual{});
    case BinaryOp::greater: return walk<int32_t, uint8_t>(c, t, Greater{});
    case BinaryOp::greaterEqual: return walk<int32_t, uint8_t>(c, t, GreaterEqual{});
    case BinaryOp::pow: return walk<int32_t, int32_t>(c, t, Power{});
    case BinaryOp::floorDiv: return walk<int32_t, int32_t>(c, t, FloorDiv{});
    default: return walk<int32_t, int32_t>(c, t, Mod{});
  }
}

void binary(const Context& c, BinaryOp op, const BinaryTask& t) {
  if (op == BinaryOp::logicalAnd) return walk<uint8_t, uint8_t>(c, t, And{});
  if (op == BinaryOp::logicalOr) return walk<uint8_t, uint8_t>(c, t, Or{});
  if (t.a.storage == Storage::i32) whole(c, op, t);
  else floats(c, op, t);
}

}  // namespace

extern const BinaryKernels binaryKernels;
const BinaryKernels binaryKernels = {binary};

}  // namespace vitrail::cuda
