// The Gaussian error linear unit (arXiv 1606.08415), in both forms, and dropout.
#pragma once
#include "../base/context.h"
#include "../base/tensor.h"
#include "dropout-key.h"
#include "levels.h"

namespace vitrail {

enum class GeluForm : uint8_t { tanh = 0, erf = 1 };

struct ActivationKernels {
  // y = dropout(gelu(x)). x and y have the same length, may each have either storage, and may be the same
  // memory.
  void (*geluForward)(const Context&, Array x, Array y, GeluForm, const DropoutKey&);

  // With h = dropout(gelu(x)): dx = dh * mask * gelu'(x), written over dh. With `keepOutput`, h is written
  // over x. In one pass this gives everything that a second linear layer needs for the backward pass, from the
  // saved pre-activation.
  void (*geluBackward)(const Context&, Array x, Array dh, GeluForm, const DropoutKey&, bool keepOutput);

  // y = x * mask; x and y as for geluForward.
  void (*dropout)(const Context&, Array x, Array y, const DropoutKey&);
};

VITRAIL_KERNEL_GROUP(ActivationKernels, activationKernels)

}  // namespace vitrail
