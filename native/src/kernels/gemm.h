// Gemms, together with the operations that usually follow them.
#pragma once
#include "../base/context.h"
#include "../base/tensor.h"
#include "activation.h"
#include "dropout-key.h"
#include "levels.h"

namespace vitrail {

enum class Activation : uint8_t { none = 0, geluTanh = 1, geluErf = 2 };

// For every matrix of the batch: y = op(a) op(b) + bias; pre = y; c = residual + dropout(activation(y)). With
// `accumulate`: c += op(a) op(b), and nothing else. Sums are fp32. Matrices are row-major. On a GPU, if c is
// stored as bf16, bias and y may be rounded to bf16 as well.
struct GemmTask {
  // op(a) is [m, k]. With transposeA, a is stored as [k, m]. f32 or bf16.
  Array a;
  // op(b) is [k, n]. With transposeB, b is stored as [n, k]. f32 or bf16.
  Array b;
  // [m, n], f32 or bf16.
  Array c;
  int64_t m = 0, n = 0, k = 0;
  bool transposeA = false, transposeB = false;
  // Elements from one stored row to the next.
  int64_t lda = 0, ldb = 0, ldc = 0;
  int64_t batch = 1;
  // Elements from one matrix of the batch to the next.
  int64_t strideA = 0, strideB = 0, strideC = 0;
  // Multiplies the product, before anything else.
  float alpha = 1;
  bool accumulate = false;
  // Whether fp32 operands are rounded to bf16. If not, bf16 operands are widened to fp32.
  bool bf16 = false;
  // [n], or null.
  const float* bias = nullptr;
  Activation activation = Activation::none;
  // [m, n] with ldc, c's storage, or empty.
  Array preActivation;
  // Positions count from 0 in the dense [m, n] result, so it is only for batch = 1 and ldc = n.
  DropoutKey dropout;
  // [m, n] with ldc, c's storage, or empty; may be c itself.
  Array residual;
  // [m]: sums of the rows of op(a), or null; only for batch = 1. For dW = dY^T X this is the bias gradient.
  float* rowSumsOfA = nullptr;
};

struct GemmKernels {
  void (*gemm)(const Context&, const GemmTask&);
};

VITRAIL_KERNEL_GROUP_WITH_BF16(GemmKernels, gemmKernels)

}  // namespace vitrail
