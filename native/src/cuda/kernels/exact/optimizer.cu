// The optimizers, in double precision. They are compiled without contraction, so the bits are those of
// TypeScript. On a GPU with the H200's share of double-precision units, memory is the limit. Consumer GPUs
// have a thirty-second of these units, and there they are the limit.
#include "optimizer.h"

#include "../../elements.h"
#include "range-table.h"

namespace vitrail::cuda {

namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kFour = 4;
// Elements of a block.
constexpr size_t kUpdated = kThreads * kFour * 2;

// Calls body(at, length) for every four of [length] that this thread takes.
template <typename Body> __device__ __forceinline__ void eachFour(size_t length, Body body) {
  for (size_t at = threadIdx.x * kFour; at < length; at += kThreads * kFour) body(at);
}

// Writes the new weights, rounded, to the range's shadow, which may be null.
__device__ __forceinline__ void storeShadow(uint16_t* shadow, size_t at, size_t length, const float (&w)[kFour]) {
  if (shadow == nullptr) return;
  if (at + kFour <= length && (reinterpret_cast<uintptr_t>(shadow) & 7) == 0) {
    *reinterpret_cast<uint2*>(shadow + at) = make_uint2(narrowTwo(w[0], w[1]), narrowTwo(w[2], w[3]));
  } else {
    for (unsigned j = 0; j < kFour; j++) {
      if (at + j < length) shadow[at + j] = narrow(w[j]);
    }
  }
}

__device__ __forceinline__ uint16_t* shiftedBy(size_t offset, uint16_t* shadow) {
  return shadow == nullptr ? nullptr : shadow + offset;
}

__global__ void adamKernel(float* weights, const float* gradient, float* expAvg, float* expAvgSq,
                           const __grid_constant__ RangeTable table, AdamUpdate u, uint16_t* shadow) {
  const Part part = partOf(table, kUpdated);
  const double coupledDecay = table.ranges[part.range].first, decoupledDecay = table.ranges[part.range].second;
  const double rest1 = 1 - u.beta1, rest2 = 1 - u.beta2;
  eachFour(part.length, [&](size_t at) {
    float ws[kFour], gs[kFour], ms[kFour], vs[kFour];
    loadFour(weights + part.offset, at, part.length, ws);
    loadFour(gradient + part.offset, at, part.length, gs);
    loadFour(expAvg + part.offset, at, part.length, ms);
    loadFour(expAvgSq + part.offset, at, part.length, vs);
    for (unsigned j = 0; j < kFour; j++) {
      const double w = ws[j];
      const double g = gs[j] * u.clipFactor + coupledDecay * w;
      const double m = u.beta1 * ms[j] + rest1 * g;
      const double v = u.beta2 * vs[j] + rest2 * g * g;
      ms[j] = static_cast<float>(m);
      vs[j] = static_cast<float>(v);
      const double direction = (m * u.firstCorrection) / (sqrt(v) * u.secondCorrection + u.eps);
      ws[j] = static_cast<float>(w - u.lr * (direction + decoupledDecay * w));
    }
    storeFour(expAvg + part.offset, at, part.length, ms);
    storeFour(expAvgSq + part.offset, at, part.length, vs);
    storeFour(weights + part.offset, at, part.length, ws);
    storeShadow(shiftedBy(part.offset, shadow), at, part.length, ws);
  });
}

__global__ void momentumKernel(float* weights, const float* gradient, float* momentumBuffer,
                               const __grid_constant__ RangeTable table, MomentumUpdate u, uint16_t* shadow) {
  const Part part = partOf(table, kUpdated);
  const double weightDecay = table.ranges[part.range].first;
  eachFour(part.length, [&](size_t at) {
    float ws[kFour], gs[kFour], bs[kFour];
    loadFour(weights + part.offset, at, part.length, ws);
    loadFour(gradient + part.offset, at, part.length, gs);
    loadFour(momentumBuffer + part.offset, at, part.length, bs);
    for (unsigned j = 0; j < kFour; j++) {
      const double w = ws[j];
      const double b = u.momentum * bs[j] + (gs[j] * u.clipFactor + weightDecay * w);
      bs[j] = static_cast<float>(b);
      ws[j] = static_cast<float>(w - u.lr * b);
    }
    storeFour(momentumBuffer + part.offset, at, part.length, bs);
    storeFour(weights + part.offset, at, part.length, ws);
    storeShadow(shiftedBy(part.offset, shadow), at, part.length, ws);
  });
}

__global__ void averageKernel(float* average, const float* weights, size_t length, double decay) {
  const double rest = 1 - decay;
  const size_t start = size_t{blockIdx.x} * kUpdated, left = length - start;
  const size_t count = left < kUpdated ? left : kUpdated;
  eachFour(count, [&](size_t at) {
    float as[kFour], ws[kFour];
    loadFour(average + start, at, count, as);
    loadFour(weights + start, at, count, ws);
    for (unsigned j = 0; j < kFour; j++) as[j] = static_cast<float>(decay * as[j] + rest * ws[j]);
    storeFour(average + start, at, count, as);
  });
}

}  // namespace

void adamUpdate(const Context& context, float* weights, const float* gradient, float* expAvg, float* expAvgSq,
                const Range* ranges, int count, const AdamUpdate& by, uint16_t* shadow) {
  inTables(ranges, count, kUpdated, [&](const RangeTable& table, int) {
    launch(context, adamKernel, {table.firstBlock[table.count], kThreads}, weights, gradient, expAvg, expAvgSq, table,
           by, shadow);
  });
}

void momentumUpdate(const Context& context, float* weights, const float* gradient, float* momentumBuffer,
                    const Range* ranges, int count, const MomentumUpdate& by, uint16_t* shadow) {
  inTables(ranges, count, kUpdated, [&](const RangeTable& table, int) {
    launch(context, momentumKernel, {table.firstBlock[table.count], kThreads}, weights, gradient, momentumBuffer, table,
           by, shadow);
  });
}

void averageUpdate(const Context& context, float* average, const float* weights, size_t length, double decay) {
  launch(context, averageKernel, {blocksFor(length, kUpdated), kThreads}, average, weights, length, decay);
}

}  // namespace vitrail::cuda
