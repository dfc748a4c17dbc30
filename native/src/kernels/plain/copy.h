// Copies between strides, and by index: transposes, slices, pads, tiles, concatenates, reverses, gathers.
#pragma once
#include "../../base/context.h"
#include "../../base/tensor.h"
#include "../levels.h"

namespace vitrail {

// A tensor of tfjs has up to 6 dimensions; tiling takes two for each.
constexpr int kMostCopyDimensions = 12;

// y at offsetY + sum(index stridesY) = x at offsetX + sum(index stridesX) for every index of `shape`; in elements.
struct CopyTask {
  Array x, y;
  int dimensions = 0;
  int64_t offsetX = 0, offsetY = 0;
  int64_t shape[kMostCopyDimensions] = {};
  int64_t stridesX[kMostCopyDimensions] = {};
  int64_t stridesY[kMostCopyDimensions] = {};
};

// x [outer, axis, inner] and count indices, all in [0, axis) -> y [outer, count, inner]. Callers cannot check
// indices on a GPU, so there an index out of range writes zeros.
struct GatherTask {
  Array x, y;
  const int32_t* indices = nullptr;
  int64_t outer = 0, axis = 0, count = 0, inner = 0;
};

struct CopyKernels {
  // x and y are stored alike and do not overlap.
  void (*copy)(const Context&, const CopyTask&);
  void (*gather)(const Context&, const GatherTask&);
  // y = condition ? a : b; a, b and y are stored alike.
  void (*select)(const Context&, const uint8_t* condition, Array a, Array b, Array y);
  // The value is converted to the storage: truncated for i32, 0 or 1 for u8.
  void (*fill)(const Context&, Array y, double value);
  // f32 to i32 truncates, modulo 2^32; to u8 gives x != 0; to bf16 rounds to nearest.
  void (*convert)(const Context&, Array x, Array y);
};

VITRAIL_KERNEL_GROUP(CopyKernels, copyKernels)

}  // namespace vitrail
