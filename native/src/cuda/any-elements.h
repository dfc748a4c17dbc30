// An array whose storage is known when a kernel runs only: one compiled form where speed is no matter.
#pragma once
#include "elements.h"

namespace vitrail::cuda {

struct AnyElements {
  void* data;
  bool isBf16;

  __device__ __forceinline__ float at(size_t i) const {
    return isBf16 ? Elements<true>{data}.at(i) : Elements<false>{data}.at(i);
  }
  __device__ __forceinline__ void set(size_t i, float value) const {
    if (isBf16) Elements<true>{data}.set(i, value);
    else Elements<false>{data}.set(i, value);
  }
};

inline AnyElements anyElements(const Array& a) { return {a.data, a.isBf16()}; }

}  // namespace vitrail::cuda
