// Softmax of rows, and its logarithm.
#pragma once
#include "../../base/context.h"
#include "../../base/tensor.h"
#include "../levels.h"

namespace vitrail {

struct SoftmaxKernels {
  // x and y [rows, width], f32; may be the same memory.
  void (*softmax)(const Context&, Array x, Array y, int64_t rows, int64_t width, bool logarithm);
};

VITRAIL_KERNEL_GROUP(SoftmaxKernels, softmaxKernels)

}  // namespace vitrail
