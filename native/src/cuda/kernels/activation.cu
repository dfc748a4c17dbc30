// GELU and dropout, element by element. A thread takes eight neighbours, which one Philox block masks.
#include "../../kernels/activation.h"

#include "../elements.h"
#include "../gelu.h"

namespace vitrail::cuda {

namespace {

constexpr unsigned kThreads = 256;

Grid groupGrid(size_t length) { return {blocksFor(length, kGroup * kThreads), kThreads}; }

// Of the group that this thread takes.
__device__ __forceinline__ size_t groupIndex() { return size_t{blockIdx.x} * blockDim.x + threadIdx.x; }

__device__ __forceinline__ void maskOf(const DropoutKey& key, size_t group, float (&mask)[kGroup]) {
  if (key.active()) return dropoutGroup(key, group, mask);
  for (float& m : mask) m = 1.0f;
}

template <bool kErf, typename X, typename Y> __global__ void forwardKernel(X x, Y y, size_t length, DropoutKey key) {
  const size_t group = groupIndex(), at = group * kGroup;
  if (at >= length) return;
  float v[kGroup], mask[kGroup];
  x.loadGroup(at, length, v);
  maskOf(key, group, mask);
  for (int j = 0; j < kGroup; j++) v[j] = gelu<kErf>(v[j]).value * mask[j];
  y.storeGroup(at, length, v);
}

template <bool kErf, typename X, typename Dh>
__global__ void backwardKernel(X x, Dh dh, size_t length, DropoutKey key, bool keepOutput) {
  const size_t group = groupIndex(), at = group * kGroup;
  if (at >= length) return;
  float v[kGroup], d[kGroup], mask[kGroup];
  x.loadGroup(at, length, v);
  dh.loadGroup(at, length, d);
  maskOf(key, group, mask);
  for (int j = 0; j < kGroup; j++) {
    const GeluValue g = gelu<kErf>(v[j]);
    d[j] *= mask[j] * g.slope;
    v[j] = g.value * mask[j];
  }
  dh.storeGroup(at, length, d);
  if (keepOutput) x.storeGroup(at, length, v);
}

template <typename X, typename Y> __global__ void dropoutKernel(X x, Y y, size_t length, DropoutKey key) {
  const size_t group = groupIndex(), at = group * kGroup;
  if (at >= length) return;
  float v[kGroup], mask[kGroup];
  x.loadGroup(at, length, v);
  dropoutGroup(key, group, mask);
  // Multiplies rather than selects, so that NaN and infinities that are dropped become NaN, as with a mask
  // that is a tensor.
  for (int j = 0; j < kGroup; j++) v[j] *= mask[j];
  y.storeGroup(at, length, v);
}

void geluForward(const Context& context, Array x, Array y, GeluForm form, const DropoutKey& key) {
  withStorages(x, y, [&](auto from, auto to) {
    const auto kernel = form == GeluForm::erf ? forwardKernel<true, decltype(from), decltype(to)>
                                              : forwardKernel<false, decltype(from), decltype(to)>;
    launch(context, kernel, groupGrid(x.length), from, to, x.length, key);
  });
}

void geluBackward(const Context& context, Array x, Array dh, GeluForm form, const DropoutKey& key, bool keepOutput) {
  withStorages(x, dh, [&](auto saved, auto gradient) {
    const auto kernel = form == GeluForm::erf ? backwardKernel<true, decltype(saved), decltype(gradient)>
                                              : backwardKernel<false, decltype(saved), decltype(gradient)>;
    launch(context, kernel, groupGrid(x.length), saved, gradient, x.length, key, keepOutput);
  });
}

void dropout(const Context& context, Array x, Array y, const DropoutKey& key) {
  withStorages(x, y, [&](auto from, auto to) {
    launch(context, dropoutKernel<decltype(from), decltype(to)>, groupGrid(x.length), from, to, x.length, key);
  });
}

}  // namespace

extern const ActivationKernels activationKernels;
const ActivationKernels activationKernels = {geluForward, geluBackward, dropout};

}  // namespace vitrail::cuda
