// The policies of reduce.cu, which say how values are reduced. Each has a Value (the storage of x), a Result
// (the storage of y), and a Total for partial results. It has the total of no values, the total of one value
// and its row or of a partial result, the merge of two totals, and the result of a total, which `scale`
// multiplies unless it is 1.
#pragma once
#include "../../launch.h"

namespace vitrail::cuda {

// The total has the type of the values.
template <typename T> struct Whole {
  using Value = T;
  using Result = T;
  using Total = T;
  __device__ static T take(T value, int64_t) { return value; }
  __device__ static void put(T total, double, T* y) { *y = total; }
};

// Floats are reduced in double precision.
struct InDouble {
  using Value = float;
  using Result = float;
  using Total = double;
  __device__ static double take(double value, int64_t) { return value; }
  __device__ static void put(double total, double, double* partial) { *partial = total; }
  __device__ static void put(double total, double scale, float* y) {
    *y = static_cast<float>(scale == 1 ? total : total * scale);
  }
};

struct FloatSum : InDouble {
  __device__ static double nothing() { return 0; }
  __device__ static double merge(double a, double b) { return a + b; }
};
struct FloatProduct : InDouble {
  __device__ static double nothing() { return 1; }
  __device__ static double merge(double a, double b) { return a * b; }
};
// Modulo 2^32.
struct WholeSum : Whole<uint32_t> {
  __device__ static uint32_t nothing() { return 0; }
  __device__ static uint32_t merge(uint32_t a, uint32_t b) { return a + b; }
};
struct WholeProduct : Whole<uint32_t> {
  __device__ static uint32_t nothing() { return 1; }
  __device__ static uint32_t merge(uint32_t a, uint32_t b) { return a * b; }
};

__device__ inline float lowest(float) { return -INFINITY; }
__device__ inline int32_t lowest(int32_t) { return INT32_MIN; }
__device__ inline float highest(float) { return INFINITY; }
__device__ inline int32_t highest(int32_t) { return INT32_MAX; }

// Once there is a NaN, the total stays NaN.
template <typename T> struct Maximum : Whole<T> {
  __device__ static T nothing() { return lowest(T{}); }
  __device__ static T merge(T a, T b) { return a > b || a != a ? a : b; }
};
template <typename T> struct Minimum : Whole<T> {
  __device__ static T nothing() { return highest(T{}); }
  __device__ static T merge(T a, T b) { return a < b || a != a ? a : b; }
};

struct All : Whole<uint8_t> {
  __device__ static uint8_t take(uint8_t value, int64_t) { return value != 0; }
  __device__ static uint8_t nothing() { return 1; }
  __device__ static uint8_t merge(uint8_t a, uint8_t b) { return a & b; }
};
struct Any : All {
  __device__ static uint8_t nothing() { return 0; }
  __device__ static uint8_t merge(uint8_t a, uint8_t b) { return a | b; }
};

// A value and its row.
template <typename T> struct Best {
  T value;
  int32_t row;
};

// The row of the largest or smallest value; the first row if several are equal.
template <typename T, bool kLargest> struct Argument {
  using Value = T;
  using Result = int32_t;
  using Total = Best<T>;
  __device__ static T worst() { return kLargest ? lowest(T{}) : highest(T{}); }
  __device__ static T best() { return kLargest ? highest(T{}) : lowest(T{}); }
  // A NaN in row 0 counts as the best value, so it wins; in another row it counts as the worst, so it never
  // does.
  __device__ static Total take(T value, int64_t row) {
    const T known = value == value ? value : row == 0 ? best() : worst();
    return {known, static_cast<int32_t>(row)};
  }
  __device__ static Total take(Total partial, int64_t) { return partial; }
  __device__ static Total nothing() { return {worst(), INT32_MAX}; }
  __device__ static Total merge(Total a, Total b) {
    const bool better = kLargest ? b.value > a.value : b.value < a.value;
    return better || (b.value == a.value && b.row < a.row) ? b : a;
  }
  __device__ static void put(Total total, double, Total* partial) { *partial = total; }
  __device__ static void put(Total total, double, int32_t* y) { *y = total.row == INT32_MAX ? 0 : total.row; }
};

}  // namespace vitrail::cuda
