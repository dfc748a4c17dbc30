// Softmax cross entropy with label smoothing.
#pragma once
#include "../base/context.h"
#include "../base/tensor.h"
#include "levels.h"

namespace vitrail {

struct LossShape {
  size_t rows = 0;
  // At least 1.
  size_t classes = 0;
  // s: the label's target is 1 - s + s / K, the others' s / K. In [0, 1].
  double smoothing = 0;
};

struct LossKernels {
  // logits: [rows, classes], f32 or bf16; labels: [rows], each in [0, classes); losses: [rows], written;
  // dLogits: the gradient of the losses' sum, f32 or bf16, may be logits, or empty; predictions: [rows], written, or
  // null: the first of the largest logits, NaN never, 0 where all are NaN. On a GPU nobody has looked at the labels:
  // one outside of [0, classes) makes its sample's loss and gradients NaN, its prediction is as usual.
  void (*crossEntropy)(const Context&, const LossShape&, Array logits, const int32_t* labels, float* losses,
                       Array dLogits, int32_t* predictions);
};

VITRAIL_KERNEL_GROUP(LossKernels, lossKernels)

}  // namespace vitrail
