// Functions of one array, element by element.
#pragma once
#include "../../base/context.h"
#include "../../base/tensor.h"
#include "../levels.h"

namespace vitrail {

// In the order of the names in src/bindings/plain-elementwise.cc.
enum class UnaryOp : uint8_t {
  neg,
  abs,
  exp,
  log,
  sqrt,
  rsqrt,
  square,
  reciprocal,
  tanh,
  sigmoid,
  erf,
  relu,
  step,
  sign,
  isNaN,
  floor,
  ceil,
  round,
};

struct UnaryKernels {
  // x and y have the same length and may be the same memory. Both are f32; isNaN gives u8.
  void (*floats)(const Context&, UnaryOp, Array x, Array y);
  // i32 to i32: neg, abs, square and sign, modulo 2^32. False for other ops.
  bool (*whole)(const Context&, UnaryOp, Array x, Array y);
};

VITRAIL_KERNEL_GROUP(UnaryKernels, unaryKernels)

}  // namespace vitrail
