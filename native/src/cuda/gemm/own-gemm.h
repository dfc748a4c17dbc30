// Our own gemm kernel, for any size, storage and alignment. The library's gemms are compared with it, it
// replaces them if the library refuses, and the emulator runs it.
#pragma once
#include "../../kernels/gemm.h"

namespace vitrail::cuda {

// Computes everything that the task asks for, with fp32 multiply-adds whatever the operands' storage.
void ownGemm(const Context& context, const GemmTask& task);

}  // namespace vitrail::cuda
