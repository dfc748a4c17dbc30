// softmax(Q K^T / sqrt(d)) V for every image and head, without storing the matrix of scores (arXiv
// 2205.14135).
#pragma once
#include "../base/context.h"
#include "../base/tensor.h"
#include "levels.h"

namespace vitrail {

struct AttentionShape {
  // B
  size_t images = 0;
  // S, at least 1.
  size_t tokens = 0;
  // At least 1.
  size_t heads = 0;
  // d, at least 1; D = heads x d.
  size_t width = 0;
  // Whether operands of gemms are rounded to bf16. Sums are always fp32.
  bool bf16 = false;
};

// A token's row of qkv and dQkv is q, k, v, each with its heads one after the other: [B S, 3 D]; out, dOut: [B S, D].
// Storage is f32 or bf16 each. logSumExp: [B, heads, S], of the scaled scores.
struct AttentionKernels {
  void (*forward)(const Context&, const AttentionShape&, Array qkv, Array out, float* logSumExp);
  void (*backward)(const Context&, const AttentionShape&, Array qkv, Array out, const float* logSumExp, Array dOut,
                   Array dQkv);
};

VITRAIL_KERNEL_GROUP_WITH_BF16(AttentionKernels, attentionKernels)

}  // namespace vitrail
