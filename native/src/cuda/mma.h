// Tensor cores and the instructions that feed them (sm_80 and later, PTX ISA 9.7.14): products of 16 x 8 x 16 by a
// warp, loads of matrices from shared memory in their layout, and copies in the background. Each has a form for the
// emulator.
//
// Lane l of a warp is in row g = l / 4, at position t = l % 4. Of the matrices it holds
//   C and D (16 x 8, fp32): c0 c1 in row g, columns 2t and 2t + 1; c2 c3 in row g + 8
//   A (16 x 16, pairs of bf16): a0 row g, columns 2t..; a1 row g + 8; a2 row g, columns 2t + 8..; a3 row g + 8
//   B (16 x 8, pairs of bf16): b0 column g, rows 2t..; b1 column g, rows 2t + 8..
// so that two neighbouring C, rounded, have the layout of an A.
#pragma once
#include "elements.h"

namespace vitrail::cuda {

using Accumulator = float[4];
using Fragment = uint32_t[4];

// An address in shared memory, which takes half the registers of a pointer.
#if defined(__CUDACC__)
using SharedAddress = uint32_t;
__device__ __forceinline__ SharedAddress sharedAddress(const void* at) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(at));
}
#else
using SharedAddress = unsigned char*;
inline SharedAddress sharedAddress(void* at) { return static_cast<SharedAddress>(at); }
#endif

// The address with some bits inverted, which are bits of an offset in a block of 128 bytes.
__device__ __forceinline__ SharedAddress turned(SharedAddress at, unsigned bits) {
#if defined(__CUDACC__)
  return at ^ bits;
#else
  return reinterpret_cast<SharedAddress>(reinterpret_cast<uintptr_t>(at) ^ bits);
#endif
}

__device__ __forceinline__ void storeShared(SharedAddress to, uint32_t word) {
#if defined(__CUDA_ARCH__)
  asm volatile("st.shared.b32 [%0], %1;" ::"r"(to), "r"(word) : "memory");
#elif !defined(__CUDACC__)
  memcpy(to, &word, sizeof word);
#endif
}

__device__ __forceinline__ void storeShared(SharedAddress to, float2 pair) {
#if defined(__CUDA_ARCH__)
  asm volatile("st.shared.v2.f32 [%0], {%1, %2};" ::"r"(to), "f"(pair.x), "f"(pair.y) : "memory");
#elif !defined(__CUDACC__)
  memcpy(to, &pair, sizeof pair);
#endif
}

__device__ __forceinline__ float4 loadShared4(SharedAddress from) {
  float4 v = {};
#if defined(__CUDA_ARCH__)
  asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "r"(from));
#elif !defined(__CUDACC__)
  memcpy(&v, from, sizeof v);
#endif
  return v;
}

// c += a b
__device__ __forceinline__ void multiplyAdd(Accumulator& c, const Fragment& a, uint32_t b0, uint32_t b1) {
#if defined(__CUDA_ARCH__)
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#elif !defined(__CUDACC__)
  const auto pair = [](uint32_t low, uint32_t high) { return low | static_cast<uint64_t>(high) << 32; };
  const emulator::LaneWords* lanes = emulator::exchangeAll({{pair(a[0], a[1]), pair(a[2], a[3]), pair(b0, b1), 0}});
  const unsigned lane = emulator::position.index % 32, g = lane / 4, t = lane % 4;
  const auto half = [](uint64_t words, unsigned i) { return widen(static_cast<uint16_t>(words >> (16 * i))); };
  for (unsigned k = 0; k < 16; k++) {
    // k = 8 x (which register) + 2 x (which lane of the four) + (which half).
    const unsigned from = k % 8 / 2, part = k / 8, e = k % 2;
    const uint64_t rows = lanes[4 * g + from].of[part];
    for (unsigned j = 0; j < 2; j++) {
      const float factor = half(lanes[4 * (2 * t + j) + from].of[2], 2 * part + e);
      c[j] += half(rows, e) * factor;
      c[2 + j] += half(rows, 2 + e) * factor;
    }
  }
#endif
}

// Loads four 8 x 8 matrices of bf16 from shared memory. Lane l gives the address of row l % 8 of matrix l / 8.
// In words[i] it gets elements 2t and 2t + 1 of row g of matrix i, or (`kTransposed`) of column g.
template <bool kTransposed> __device__ __forceinline__ void loadMatrices(Fragment& words, SharedAddress row) {
#if defined(__CUDA_ARCH__)
  if constexpr (kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(row));
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(row));
  }
#elif !defined(__CUDACC__)
  emulator::LaneWords mine = {};
  memcpy(mine.of, row, 16);
  const emulator::LaneWords* lanes = emulator::exchangeAll(mine);
  const unsigned lane = emulator::position.index % 32, g = lane / 4, t = lane % 4;
  const auto element = [&](unsigned matrix, unsigned i, unsigned j) {
    return static_cast<uint32_t>(lanes[8 * matrix + i].of[j / 4] >> (16 * (j % 4)) & 0xffff);
  };
  for (unsigned i = 0; i < 4; i++) {
    words[i] = kTransposed ? element(i, 2 * t, g) | element(i, 2 * t + 1, g) << 16
                           : element(i, g, 2 * t) | element(i, g, 2 * t + 1) << 16;
  }
#endif
}

// Begins to copy 16 bytes to shared memory. If they are not `there`, zeros are written and `from` is not read.
__device__ __forceinline__ void copyAsync(SharedAddress to, const void* from, bool there) {
#if defined(__CUDA_ARCH__)
  const int bytes = there ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
#elif !defined(__CUDACC__)
  if (there) memcpy(to, from, 16);
  else memset(to, 0, 16);
#endif
}

// Closes a group of copies: those that this thread has begun since the last group.
__device__ __forceinline__ void commitCopies() {
#if defined(__CUDA_ARCH__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

template <int kPending> __device__ __forceinline__ void waitForGroups() {
#if defined(__CUDA_ARCH__)
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}

// Waits until at most the last `pending` groups of this thread are under way. Other threads see what the
// earlier groups have copied after the next barrier.
__device__ __forceinline__ void waitForCopies(int pending) {
  if (pending >= 4) waitForGroups<4>();
  else if (pending == 3) waitForGroups<3>();
  else if (pending == 2) waitForGroups<2>();
  else if (pending == 1) waitForGroups<1>();
  else waitForGroups<0>();
}

// 2^x to 2 units in the last place; 0 if that is below 2^-126.
__device__ __forceinline__ float powerOfTwo(float x) {
#if defined(__CUDA_ARCH__)
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return exp2f(x);
#endif
}

}  // namespace vitrail::cuda
