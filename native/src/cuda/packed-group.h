// Eight neighbouring elements as they are stored. In bf16 they take half the registers of floats.
#pragma once
#include "elements.h"

namespace vitrail::cuda {

template <bool kBf16> struct PackedGroup {
  uint4 words[kBf16 ? 1 : 2];

  // Elements [at, at + 8), all inside the array; 16-byte aligned.
  static __device__ __forceinline__ PackedGroup load(const Elements<kBf16>& from, size_t at) {
    PackedGroup group;
    const uint4* place = placeOf(from, at);
    group.words[0] = place[0];
    if constexpr (!kBf16) group.words[1] = place[1];
    return group;
  }
  static __device__ __forceinline__ PackedGroup of(const float (&v)[kGroup]) {
    PackedGroup group;
    if constexpr (kBf16) {
      group.words[0] =
          make_uint4(narrowTwo(v[0], v[1]), narrowTwo(v[2], v[3]), narrowTwo(v[4], v[5]), narrowTwo(v[6], v[7]));
    } else {
      for (int i = 0; i < 2; i++) {
        const float* four = v + 4 * i;
        group.words[i] = make_uint4(__float_as_uint(four[0]), __float_as_uint(four[1]), __float_as_uint(four[2]),
                                    __float_as_uint(four[3]));
      }
    }
    return group;
  }

  __device__ __forceinline__ void store(const Elements<kBf16>& to, size_t at) const {
    uint4* place = placeOf(to, at);
    place[0] = words[0];
    if constexpr (!kBf16) place[1] = words[1];
  }

  // Element j; j is known when the kernel is compiled.
  __device__ __forceinline__ float operator[](int j) const {
    if constexpr (kBf16) {
      const uint32_t pair = word(j / 2);
      return __uint_as_float(j % 2 == 0 ? pair << 16 : pair & 0xffff0000);
    } else {
      return __uint_as_float(word(j));
    }
  }

 private:
  static __device__ __forceinline__ uint4* placeOf(const Elements<kBf16>& elements, size_t at) {
    return static_cast<uint4*>(elements.data) + at / (kBf16 ? 8 : 4);
  }
  __device__ __forceinline__ uint32_t word(int i) const {
    const uint4& four = words[i / 4];
    return i % 4 == 0 ? four.x : i % 4 == 1 ? four.y : i % 4 == 2 ? four.z : four.w;
  }
};

}  // namespace vitrail::cuda
