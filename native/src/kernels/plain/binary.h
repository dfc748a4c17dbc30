// Functions of two arrays, element by element, with broadcasting.
#pragma once
#include "../../base/context.h"
#include "../../base/tensor.h"
#include "../levels.h"

namespace vitrail {

// In the order of the names in src/bindings/plain-elementwise.cc.
enum class BinaryOp : uint8_t {
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
  pow,
  squaredDifference,
  equal,
  notEqual,
  less,
  lessEqual,
  greater,
  greaterEqual,
  logicalAnd,
  logicalOr,
  floorDiv,
  mod,
};

constexpr int kMostDimensions = 8;

// y is dense in row-major order of `shape`; strides are in elements, 0 where an operand is broadcast.
struct BinaryTask {
  Array a, b, y;
  int dimensions = 0;
  int64_t shape[kMostDimensions] = {};
  int64_t stridesA[kMostDimensions] = {};
  int64_t stridesB[kMostDimensions] = {};
};

// The storage of y for the storages of the operands; false if the op does not take them.
inline bool storageOfResult(BinaryOp op, Storage operands, Storage& result) {
  const bool compares = op >= BinaryOp::equal && op <= BinaryOp::greaterEqual;
  const bool logical = op == BinaryOp::logicalAnd || op == BinaryOp::logicalOr;
  result = compares || logical ? Storage::u8 : operands;
  if (logical) return operands == Storage::u8;
  return operands == Storage::f32 || (operands == Storage::i32 && op != BinaryOp::div);
}

struct BinaryKernels {
  // Integers are computed modulo 2^32; a division by zero gives 0.
  void (*binary)(const Context&, BinaryOp, const BinaryTask&);
};

VITRAIL_KERNEL_GROUP(BinaryKernels, binaryKernels)

}  // namespace vitrail
