// Runs of neighbouring elements of an array whose storage is known only when the kernel runs. All threads of a
// launch take the same branch, so this costs little at run time, and saves compiling a kernel for each
// combination of storages.
#pragma once
#include "elements.h"

namespace vitrail::cuda {

// An array in the form that kernels take. If it is `aligned`, every run that begins at a multiple of its
// length lies at a 16-byte boundary (or, for 4 bf16, at an 8-byte one).
struct Run {
  void* data = nullptr;
  bool bf16 = false;
  bool aligned = false;

  __device__ __forceinline__ float at(size_t i) const {
    return bf16 ? widen(static_cast<const uint16_t*>(data)[i]) : static_cast<const float*>(data)[i];
  }
  __device__ __forceinline__ void set(size_t i, float value) const {
    if (bf16) static_cast<uint16_t*>(data)[i] = narrow(value);
    else static_cast<float*>(data)[i] = value;
  }
};

// Rows whose length is a multiple of this stay 16-byte aligned in either storage.
constexpr int64_t kAlignedElements = 8;

// lead and stride are elements from one row to the next and from one matrix to the next. Rows of other lengths
// are taken element by element.
inline Run runOf(const Array& array, int64_t lead = 1, int64_t stride = 0) {
  const bool aligned = reinterpret_cast<uintptr_t>(array.data) % 16 == 0 && lead % kAlignedElements == 0 &&
                       stride % kAlignedElements == 0;
  return {array.data, array.isBf16(), aligned};
}

__device__ __forceinline__ void unpackTwo(uint32_t word, float& first, float& second) {
  first = __uint_as_float(word << 16);
  second = __uint_as_float(word & 0xffff0000);
}

// Elements [i, i + kCount) of which the first `valid` exist; the others are 0.
template <int kCount> __device__ __forceinline__ void loadRun(const Run& run, size_t i, int valid, float (&v)[kCount]) {
  static_assert(kCount == 4 || kCount == 8, "4 or 8 neighbours");
  if (!run.aligned || valid < kCount) {
#pragma unroll
    for (int j = 0; j < kCount; j++) v[j] = j < valid ? run.at(i + j) : 0.0f;
  } else if (!run.bf16) {
    const float4* from = reinterpret_cast<const float4*>(static_cast<const float*>(run.data) + i);
#pragma unroll
    for (int j = 0; j < kCount; j += 4) {
      const float4 four = from[j / 4];
      v[j] = four.x, v[j + 1] = four.y, v[j + 2] = four.z, v[j + 3] = four.w;
    }
  } else if constexpr (kCount == 8) {
    const uint4 words = *reinterpret_cast<const uint4*>(static_cast<const uint16_t*>(run.data) + i);
    unpackTwo(words.x, v[0], v[1]), unpackTwo(words.y, v[2], v[3]);
    unpackTwo(words.z, v[4], v[5]), unpackTwo(words.w, v[6], v[7]);
  } else {
    const uint2 words = *reinterpret_cast<const uint2*>(static_cast<const uint16_t*>(run.data) + i);
    unpackTwo(words.x, v[0], v[1]), unpackTwo(words.y, v[2], v[3]);
  }
}

template <int kCount>
__device__ __forceinline__ void storeRun(const Run& run, size_t i, int valid, const float (&v)[kCount]) {
  static_assert(kCount == 4 || kCount == 8, "4 or 8 neighbours");
  if (!run.aligned || valid < kCount) {
#pragma unroll
    for (int j = 0; j < kCount; j++) {
      if (j < valid) run.set(i + j, v[j]);
    }
  } else if (!run.bf16) {
    float4* to = reinterpret_cast<float4*>(static_cast<float*>(run.data) + i);
#pragma unroll
    for (int j = 0; j < kCount; j += 4) to[j / 4] = make_float4(v[j], v[j + 1], v[j + 2], v[j + 3]);
  } else if constexpr (kCount == 8) {
    *reinterpret_cast<uint4*>(static_cast<uint16_t*>(run.data) + i) =
        make_uint4(narrowTwo(v[0], v[1]), narrowTwo(v[2], v[3]), narrowTwo(v[4], v[5]), narrowTwo(v[6], v[7]));
  } else {
    *reinterpret_cast<uint2*>(static_cast<uint16_t*>(run.data) + i) =
        make_uint2(narrowTwo(v[0], v[1]), narrowTwo(v[2], v[3]));
  }
}

}  // namespace vitrail::cuda
