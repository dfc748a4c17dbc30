#include "optimizer.h"

#include "doubles.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

// Memory is the limit (28 bytes a parameter): divisions and square roots take no longer than the loads.
void adamUpdate(const Context& context, float* weights, const float* gradient, float* expAvg, float* expAvgSq,
                size_t length, const AdamUpdate& by) {
  const AdamUpdate u = by;
  const double rest1 = 1 - u.beta1, rest2 = 1 - u.beta2;
  context.pool.run(chunksOf(length), [&](int chunk, int) {
    eachDoubles(chunk, length, [&](size_t at, size_t count) {
      const Doubles w = widened(weights + at, count);
      const Doubles g = widened(gradient + at, count) * u.clipFactor + u.coupledDecay * w;
      const Doubles m = u.beta1 * widened(expAvg + at, count) + rest1 * g;
      const Doubles v = u.beta2 * widened(expAvgSq + at, count) + rest2 * g * g;
      putRounded(expAvg + at, m, count);
      putRounded(expAvgSq + at, v, count);
      const Doubles direction = (m * u.firstCorrection) / (squareRoot(v) * u.secondCorrection + u.eps);
      putRounded(weights + at, w - u.lr * (direction + u.decoupledDecay * w), count);
    });
  });
}

void momentumUpdate(const Context& context, float* weights, const float* gradient, float* momentumBuffer, size_t length,
                    const MomentumUpdate& by) {
  const MomentumUpdate u = by;
  context.pool.run(chunksOf(length), [&](int chunk, int) {
    eachDoubles(chunk, length, [&](size_t at, size_t count) {
      const Doubles w = widened(weights + at, count);
      const Doubles b = u.momentum * widened(momentumBuffer + at, count) +
                        (widened(gradient + at, count) * u.clipFactor + u.weightDecay * w);
      putRounded(momentumBuffer + at, b, count);
      putRounded(weights + at, w - u.lr * b, count);
    });
  });
}

void averageUpdate(const Context& context, float* average, const float* weights, size_t length, double decay) {
  const double rest = 1 - decay;
  context.pool.run(chunksOf(length), [&](int chunk, int) {
    eachDoubles(chunk, length, [&](size_t at, size_t count) {
      putRounded(average + at, decay * widened(average + at, count) + rest * widened(weights + at, count), count);
    });
  });
}

}  // namespace

extern const OptimizerKernels optimizerKernels;
const OptimizerKernels optimizerKernels = {adamUpdate, momentumUpdate, averageUpdate};

}  // namespace vitrail::VITRAIL_VARIANT
