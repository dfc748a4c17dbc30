// The exact reduction on host memory: the same as ExactAccumulator, Fp32Accumulator and gradient-scaling.ts.
#pragma once
#include "../../base/context.h"
#include "../levels.h"

namespace vitrail {

struct Added {
  // The largest finite |gradient|.
  float maximum = 0;
  bool nonFinite = false;
};

struct Quantisation {
  double scale = 1;
  // The limit of |gradient scale| microBatches, below 2^31.
  double limit = 0;
  double microBatches = 1;
};

struct ScaledTensor {
  size_t offset = 0, length = 0;
  double scale = 1;
};

struct ReductionKernels {
  // sums += rint(gradient scale), without values out of range; both [length].
  Added (*quantiseAdd)(const Context&, const float* gradient, int32_t* sums, size_t length, const Quantisation&);

  // sums += gradient, for finite values; both [length].
  Added (*floatAdd)(const Context&, const float* gradient, float* sums, size_t length);

  // For every tensor: out = (float)(source scale), squares[tensor] = sum of out^2. The sum's order is JavaScript's, so
  // a tensor is one thread's work. `source` holds floats, or integers; `out` may be the same memory.
  void (*scaleGradient)(const Context&, const void* source, bool integers, float* out, const ScaledTensor* tensors,
                        int count, double* squares);
};

VITRAIL_KERNEL_GROUP(ReductionKernels, reductionKernels)

}  // namespace vitrail
