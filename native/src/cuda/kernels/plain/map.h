// Functions of arrays, element by element. A thread takes eight neighbours, in accesses of up to 16 bytes.
#pragma once
#include <cstring>

#include "../../elements.h"

namespace vitrail::cuda {

constexpr unsigned kMapThreads = 256;

// Neighbours, eight to 32 bytes of them.
template <typename T> struct Pack {
  T v[kGroup];
};

template <size_t kBytes> struct LongestWord {
  using Type = uint4;
};
template <> struct LongestWord<8> {
  using Type = uint2;
};
// Packs move in these words, because compilers do not join accesses below 4 bytes. Arrays start at multiples
// of 16 bytes.
template <typename T> using PackWord = typename LongestWord<sizeof(Pack<T>)>::Type;

template <typename T> __device__ __forceinline__ Pack<T> packAt(const T* from) {
  using Word = PackWord<T>;
  constexpr int kWords = sizeof(Pack<T>) / sizeof(Word);
  Word words[kWords];
#pragma unroll
  for (int w = 0; w < kWords; w++) words[w] = reinterpret_cast<const Word*>(from)[w];
  Pack<T> pack;
  memcpy(&pack, words, sizeof pack);
  return pack;
}

template <typename T> __device__ __forceinline__ void setPack(T* to, const Pack<T>& pack) {
  using Word = PackWord<T>;
  constexpr int kWords = sizeof(Pack<T>) / sizeof(Word);
  Word words[kWords];
  memcpy(words, &pack, sizeof pack);
#pragma unroll
  for (int w = 0; w < kWords; w++) reinterpret_cast<Word*>(to)[w] = words[w];
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
    setPack(y + at, mapped<Y>(function, packAt(x + at)...));
  } else {
    for (size_t i = at; i < length; i++) y[i] = function(x[i]...);
  }
}

// y[i] = function(x[i]...) for i < length. y may be one of x. The state of the function must fit into a kernel
// argument.
template <typename F, typename Y, typename... X>
void map(const Context& context, F function, Y* y, size_t length, const X*... x) {
  const Grid grid = {blocksFor(length, kGroup * kMapThreads), kMapThreads};
  launch(context, mapKernel<F, Y, X...>, grid, function, y, length, x...);
}

}  // namespace vitrail::cuda
