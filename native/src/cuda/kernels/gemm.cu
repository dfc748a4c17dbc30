// Gemms.
#include "../../kernels/gemm.h"

#include "../gemm/gemms.h"

namespace vitrail::cuda {

namespace {

void gemm(const Context& context, const GemmTask& task) { gemmsOf(context.device).compute(context, task); }

}  // namespace

extern const GemmKernels gemmKernels;
const GemmKernels gemmKernels = {gemm};

}  // namespace vitrail::cuda
