// Eight neighbouring elements at a time, because one Philox block masks eight, and a 16-byte access holds
// eight in bf16.
#pragma once
#include "../kernels/philox-block.h"
#include "launch.h"

namespace vitrail::cuda {

constexpr int kGroup = 8;

__device__ __forceinline__ float widen(uint16_t half) { return __uint_as_float(static_cast<uint32_t>(half) << 16); }

// To nearest, halves to even; NaN stays NaN.
__device__ __forceinline__ uint16_t narrow(float value) {
#if defined(__CUDA_ARCH__)
  uint16_t half;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(half) : "f"(value));
  return half;
#else
  const uint32_t word = __float_as_uint(value);
  if ((word & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>((word >> 16) | 0x40);
  return static_cast<uint16_t>((word + 0x7fff + ((word >> 16) & 1)) >> 16);
#endif
}

// Two bf16 in one word, the first in its lower half.
__device__ __forceinline__ uint32_t narrowTwo(float first, float second) {
#if defined(__CUDA_ARCH__)
  uint32_t word;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
  return word;
#else
  return narrow(first) | static_cast<uint32_t>(narrow(second)) << 16;
#endif
}

// An array of f32 or bf16, in the form that kernels take.
template <bool kBf16> struct Elements {
  void* data;

  __device__ __forceinline__ float at(size_t i) const {
    if constexpr (kBf16) return widen(static_cast<const uint16_t*>(data)[i]);
    else return static_cast<const float*>(data)[i];
  }
  __device__ __forceinline__ void set(size_t i, float value) const {
    if constexpr (kBf16) static_cast<uint16_t*>(data)[i] = narrow(value);
    else static_cast<float*>(data)[i] = value;
  }

  // Elements [i, i + 8) of `length`; those beyond are 0. i is a multiple of 8 and the array 16-byte aligned.
  __device__ __forceinline__ void loadGroup(size_t i, size_t length, float (&v)[kGroup]) const {
    if (i + kGroup > length) {
      for (int j = 0; j < kGroup; j++) v[j] = i + j < length ? at(i + j) : 0.0f;
    } else if constexpr (kBf16) {
      const uint4 words = *reinterpret_cast<const uint4*>(static_cast<const uint16_t*>(data) + i);
      const uint32_t w[4] = {words.x, words.y, words.z, words.w};
      for (int j = 0; j < 4; j++) {
        v[2 * j] = __uint_as_float(w[j] << 16);
        v[2 * j + 1] = __uint_as_float(w[j] & 0xffff0000);
      }
    } else {
      const float4* from = reinterpret_cast<const float4*>(static_cast<const float*>(data) + i);
      const float4 a = from[0], b = from[1];
      v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w;
      v[4] = b.x, v[5] = b.y, v[6] = b.z, v[7] = b.w;
    }
  }
  __device__ __forceinline__ void storeGroup(size_t i, size_t length, const float (&v)[kGroup]) const {
    if (i + kGroup > length) {
      for (int j = 0; j < kGroup; j++) {
        if (i + j < length) set(i + j, v[j]);
      }
    } else if constexpr (kBf16) {
      *reinterpret_cast<uint4*>(static_cast<uint16_t*>(data) + i) =
          make_uint4(narrowTwo(v[0], v[1]), narrowTwo(v[2], v[3]), narrowTwo(v[4], v[5]), narrowTwo(v[6], v[7]));
    } else {
      float4* to = reinterpret_cast<float4*>(static_cast<float*>(data) + i);
      to[0] = make_float4(v[0], v[1], v[2], v[3]);
      to[1] = make_float4(v[4], v[5], v[6], v[7]);
    }
  }
};

// Multipliers, 0 or `kept`, of the elements [8 group, 8 group + 8).
__device__ __forceinline__ void dropoutGroup(const DropoutKey& key, size_t group, float (&mask)[kGroup]) {
  uint32_t words[4];
  philoxBlock(static_cast<uint32_t>(group), key, words);
  for (int j = 0; j < kGroup; j++) {
    const uint32_t random = words[j / 2] >> (j % 2 * 16) & 0xffff;
    mask[j] = random >= key.dropBelow ? key.kept : 0.0f;
  }
}

// Calls body with the array as Elements of its storage. Kernels are compiled for each storage.
template <typename Body> void withStorage(const Array& a, Body body) {
  if (a.isBf16()) body(Elements<true>{a.data});
  else body(Elements<false>{a.data});
}
template <typename Body> void withStorages(const Array& a, const Array& b, Body body) {
  withStorage(a, [&](auto first) { withStorage(b, [&](auto second) { body(first, second); }); });
}

}  // namespace vitrail::cuda
