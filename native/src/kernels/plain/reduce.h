// Sums, extremes and the like over one dimension.
#pragma once
#include "../../base/context.h"
#include "../../base/tensor.h"
#include "../levels.h"

namespace vitrail {

// In the order of the names in src/bindings/plain-reduce.cc.
enum class ReduceOp : uint8_t { sum, mean, max, min, prod, all, any, argMax, argMin };

struct ReduceTask {
  // [outer, length, inner] -> [outer, inner]
  Array x, y;
  int64_t outer = 0, length = 0, inner = 0;
};

// The storage of y; false if the op does not take x in its storage.
inline bool storageOfResult(ReduceOp op, Storage x, Storage& result) {
  const bool argument = op == ReduceOp::argMax || op == ReduceOp::argMin;
  const bool logical = op == ReduceOp::all || op == ReduceOp::any;
  result = argument ? Storage::i32 : x;
  if (logical) return x == Storage::u8;
  return x == Storage::f32 || (x == Storage::i32 && op != ReduceOp::mean);
}

struct ReduceKernels {
  // Sums are added in an order that depends only on the sizes, and floats to about double precision. NaN
  // counts in sums, products and extremes. argMax and argMin ignore it unless it comes first, and take the
  // first of equal values. For no values, the sum is 0, the product 1 and the maximum -infinity.
  void (*reduce)(const Context&, ReduceOp, const ReduceTask&);
};

VITRAIL_KERNEL_GROUP(ReduceKernels, reduceKernels)

}  // namespace vitrail
