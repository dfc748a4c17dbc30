// Matrix products.
#include "../../kernels/gemm.h"

#include "../products/products.h"

namespace vitrail::cuda {

namespace {

void gemm(const Context& context, const GemmTask& task) { productsOf(context.device).compute(context, task); }

}  // namespace

extern const GemmKernels gemmKernels;
const GemmKernels gemmKernels = {gemm};

}  // namespace vitrail::cuda
