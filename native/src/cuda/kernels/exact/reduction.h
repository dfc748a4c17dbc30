// The exact reduction on the GPU's memory: the same as ExactAccumulator, Fp32Accumulator and
// gradient-scaling.ts.
#pragma once
#include "../../../kernels/exact/reduction.h"
#include "range.h"

namespace vitrail::cuda {

// sums += rint(gradient scale), without values out of range; both [length]. statistics[0] is raised to the
// bits of the largest finite |gradient|, and statistics[1] is set to 1 if a value is not finite.
void quantiseAdd(const Context& context, const float* gradient, int32_t* sums, size_t length, const Quantisation& by,
                 int32_t* statistics);

// sums += gradient, for finite values; statistics as above.
void floatAdd(const Context& context, const float* gradient, float* sums, size_t length, int32_t* statistics);

// For every range: out = (float)(source first), squares[range] = sum of out^2, in an order that follows from the
// range's length alone. `source` holds integers or floats; `out` may be the same memory. squares: [count], the GPU's.
void scaleGradient(const Context& context, const void* source, bool integers, float* out, const Range* ranges,
                   int count, double* squares);

}  // namespace vitrail::cuda
