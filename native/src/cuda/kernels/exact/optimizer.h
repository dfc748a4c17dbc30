// Updates of weights and moments in place, on the GPU's memory: the same as adam-update.ts and
// momentum-update.ts.
#pragma once
#include "../../../kernels/exact/optimizer.h"
#include "range.h"

namespace vitrail::cuda {

// All arrays are flat. `shadow` is flat too, and gets the new weights rounded to bf16 unless it is null. A
// range's `first` is its coupled decay and `second` its decoupled one; those of AdamUpdate are not read.
void adamUpdate(const Context& context, float* weights, const float* gradient, float* expAvg, float* expAvgSq,
                const Range* ranges, int count, const AdamUpdate& by, uint16_t* shadow);

// A range's `first` is its weight decay; that of MomentumUpdate is not read.
void momentumUpdate(const Context& context, float* weights, const float* gradient, float* momentumBuffer,
                    const Range* ranges, int count, const MomentumUpdate& by, uint16_t* shadow);

// average = decay average + (1 - decay) weights; both [length].
void averageUpdate(const Context& context, float* average, const float* weights, size_t length, double decay);

}  // namespace vitrail::cuda
