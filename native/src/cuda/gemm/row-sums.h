// Sums of the rows of a product's first operand: the bias gradient of a linear layer.
#pragma once
#include "../../kernels/gemm.h"

namespace vitrail::cuda {

// task.rowSumsOfA, of op(a) as it is stored; nothing where none is asked for. A sum's order follows from the shape.
void sumRowsOfA(const Context& context, const GemmTask& task);

}  // namespace vitrail::cuda
