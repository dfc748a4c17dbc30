// What goes before and after a library's product.
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

// c (and the pre-activation, bias, activation, dropout, residual) of `rest` from sums that lie in `sums`, which may be
// c itself.
void finishGemm(const Context& context, const Matrices& sums, const GemmTask& rest);

}  // namespace vitrail::cuda
