// Updates of weights and moments in place, on host memory: the same as adam-update.ts and momentum-update.ts.
#pragma once
#include "../../base/context.h"
#include "../levels.h"

namespace vitrail {

struct AdamUpdate {
  double lr, beta1, beta2, eps, clipFactor;
  // 1 / (1 - beta1^t), 1 / sqrt(1 - beta2^t)
  double firstCorrection, secondCorrection;
  double coupledDecay, decoupledDecay;
};

struct MomentumUpdate {
  double lr, momentum, clipFactor, weightDecay;
};

// All arrays are [length].
struct OptimizerKernels {
  void (*adamUpdate)(const Context&, float* weights, const float* gradient, float* expAvg, float* expAvgSq,
                     size_t length, const AdamUpdate&);
  void (*momentumUpdate)(const Context&, float* weights, const float* gradient, float* momentumBuffer, size_t length,
                         const MomentumUpdate&);
  // average = decay average + (1 - decay) weights
  void (*averageUpdate)(const Context&, float* average, const float* weights, size_t length, double decay);
};

VITRAIL_KERNEL_GROUP(OptimizerKernels, optimizerKernels)

}  // namespace vitrail
