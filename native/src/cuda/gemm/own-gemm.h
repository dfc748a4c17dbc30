// The product by a kernel of our own: of any size, storage and alignment. What a library's products are compared with,
// what takes their place where they refuse, and what the emulator runs.
#pragma once
#include "../../kernels/gemm.h"

namespace vitrail::cuda {

// All that the task asks for. fp32 multiply-adds, whatever the operands are stored as.
void ownGemm(const Context& context, const GemmTask& task);

}  // namespace vitrail::cuda
