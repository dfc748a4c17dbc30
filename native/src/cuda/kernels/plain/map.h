// Functions of arrays, element by element: a thread takes eight neighbours, in accesses of up to 16 bytes.
#pragma once
#include "../../elements.h"

namespace vitrail::cuda {

constexpr unsigned kMapThreads = 256;

// Neighbours as one access, or two, moves them; arrays start at multiples of its size.
template <typename T> struct alignas(kGroup * sizeof(T)) Pack { T v[kGroup]; };

template <typename T> __device__ __forceinline__ Pack<T> packAt(const T* from) {
  return *reinterpret_cast<const Pack<T>*>(from);
}

template <typename Y, typename F, typename... X>
__device__ __forceinline__ Pack<Y> mapped(const F& function, const Pack<X>&... x) {
  Pack<Y> y;
#pragma unroll
  for (int j = 0; j < kGroup; j++) y.v[j] = function(x.v[j]...);
  return y;
}

template <typename F, typename Y, typename... X>
__global__ void mapKernel(F function, Y* y, size_t length, const X*... x) {
  const size_t at = (size_t{blockIdx.x} * blockDim.x + threadIdx.x) * kGroup;
  if (at + kGroup <= length) {
    *reinterpret_cast<Pack<Y>*>(y + at) = mapped<Y>(function, packAt(x + at)...);
  } else {
    for (size_t i = at; i < length; i++) y[i] = function(x[i]...);
  }
}

// y[i] = function(x[i]...) for i < length; y may be one of x. The function has no state but what fits an argument.
template <typename F, typename Y, typename... X>
void map(const Context& context, F function, Y* y, size_t length, const X*... x) {
  const Grid grid = {blocksFor(length, kGroup * kMapThreads), kMapThreads};
  launch(context, mapKernel<F, Y, X...>, grid, function, y, length, x...);
}

}  // namespace vitrail::cuda
