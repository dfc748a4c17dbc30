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

// What y must be stored as; false where the op does not take x as it is stored.
inline bool storageOfResult(ReduceOp op, Storage x, Storage& result) {
  const bool argument = op == ReduceOp::argMax || op == ReduceOp::argMin;
  const bool logical = op == ReduceOp::all || op == ReduceOp::any;
  result = argument ? Storage::i32 : x;
  if (logical) return x == Storage::u8;
  return x == Storage::f32 || (x == Storage::i32 && op != ReduceOp::mean);
}

struct ReduceKernels {
  // Sums are added in an order that follows from the sizes alone, floats to about double precision of the total. NaN
  // goes into sums, products and extremes; argMax and argMin pass over it unless it comes first, and take the first of
  // equals. Nothing sums to 0, multiplies to 1, and has -infinity as its maximum.
  void (*reduce)(const Context&, ReduceOp, const ReduceTask&);
};

VITRAIL_KERNEL_GROUP(ReduceKernels, reduceKernels)

}  // namespace vitrail
