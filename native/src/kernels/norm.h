// Layer normalisation over rows (arXiv 1607.06450).
#pragma once
#include "../base/context.h"
#include "../base/tensor.h"
#include "levels.h"

namespace vitrail {

struct NormShape {
  size_t rows = 0;
  // At least 1.
  size_t width = 0;
  // Elements from row to row of x, dx and the residual; y and dy are dense.
  size_t stride = 0;
};

struct NormKernels {
  // y = (x - mean) rstd scale + shift, rstd = 1 / sqrt(variance + epsilon). scale, shift: [width]; mean, rstd: [rows],
  // written. x and y are f32 or bf16 each.
  void (*forward)(const Context&, const NormShape&, Array x, Array y, const float* scale, const float* shift,
                  float epsilon, float* mean, float* rstd);

  // The same y, bit for bit, from the saved statistics.
  void (*recompute)(const Context&, const NormShape&, Array x, Array y, const float* scale, const float* shift,
                    const float* mean, const float* rstd);

  // dx = residual + the gradient of x; the residual may be empty, or dx. dScale, dShift: [width], written.
  void (*backward)(const Context&, const NormShape&, Array x, Array dy, const float* scale, const float* mean,
                   const float* rstd, Array residual, Array dx, float* dScale, float* dShift);
};

VITRAIL_KERNEL_GROUP(NormKernels, normKernels)

}  // namespace vitrail
