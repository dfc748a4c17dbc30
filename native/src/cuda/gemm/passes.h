// The passes before and after a gemm of the library.
#pragma once
#include "plan.h"

namespace vitrail::cuda {

// Matrices of a batch, row-major.
struct Matrices {
  Array array;
  int64_t rows = 0, columns = 0, lead = 0;
  int64_t batch = 1, stride = 0;
};

// Copies f32 to bf16 or bf16 to f32; both have the same rows, columns and batch.
void convert(const Context& context, const Matrices& from, const Matrices& to);

// Computes c (with the pre-activation, bias, activation, dropout and residual) of `rest` from `sums`, which
// may be c itself.
void finishGemm(const Context& context, const Matrices& sums, const GemmTask& rest);

}  // namespace vitrail::cuda
