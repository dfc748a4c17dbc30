// Sums of the rows of a gemm's first operand, which are the bias gradient of a linear layer.
#pragma once
#include "../../kernels/gemm.h"

namespace vitrail::cuda {

// Computes task.rowSumsOfA from op(a) as it is stored, or nothing if that is not asked for. The order of a sum
// depends on the shape.
void sumRowsOfA(const Context& context, const GemmTask& task);

}  // namespace vitrail::cuda
