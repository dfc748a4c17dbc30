// CUDA's language on a processor, for tests on machines without a GPU. Every thread of a block is a fiber, and
// barriers and shuffles switch between fibers. It is as strict as possible: a barrier that some threads of a
// block never reach stops the process with a message, and warps run ahead of each other, so that most missing
// barriers are noticed. It cannot show speed or memory order between blocks.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "../../base/function-ref.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __restrict__ __restrict
#define __shared__ static thread_local
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
// Aligned, because a GPU faults at other addresses.
struct __align__(8) uint2 {
  unsigned x, y;
};
struct __align__(16) uint4 {
  unsigned x, y, z, w;
};
struct __align__(8) float2 {
  float x, y;
};
struct __align__(16) float4 {
  float x, y, z, w;
};
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

namespace vitrail::emulator {

// The indices of the running thread.
struct Position {
  dim3 thread, block, blockSize, gridSize;
  // The thread's index within its block; lane = index % 32.
  unsigned index = 0;
};
extern thread_local Position position;

// Runs `thread` as every thread of every block, one block after the other.
void runGrid(dim3 blocks, dim3 threads, size_t sharedBytes, FunctionRef<void()> thread);

unsigned char* blockMemory();
void blockBarrier();
void warpBarrier();
// Gives this lane's word to its warp, and returns the word of lane `source`. All lanes must take part.
uint64_t exchange(uint64_t word, unsigned source);
// Gives this lane's words to its warp, and returns those of all 32 lanes, which are valid until the next
// exchange but one. All lanes must take part.
struct LaneWords {
  uint64_t of[4];
};
const LaneWords* exchangeAll(const LaneWords& words);

template <typename T> T shuffle(T value, unsigned source) {
  static_assert(sizeof(T) <= 8, "words of up to 8 bytes");
  uint64_t word = 0;
  memcpy(&word, &value, sizeof value);
  word = exchange(word, source);
  memcpy(&value, &word, sizeof value);
  return value;
}

}  // namespace vitrail::emulator

#define threadIdx (::vitrail::emulator::position.thread)
#define blockIdx (::vitrail::emulator::position.block)
#define blockDim (::vitrail::emulator::position.blockSize)
#define gridDim (::vitrail::emulator::position.gridSize)

inline void __syncthreads() { vitrail::emulator::blockBarrier(); }
inline void __syncwarp(unsigned = 0xffffffff) { vitrail::emulator::warpBarrier(); }
template <typename T> T __shfl_xor_sync(unsigned, T value, int mask) {
  return vitrail::emulator::shuffle(value, (vitrail::emulator::position.index ^ static_cast<unsigned>(mask)) & 31);
}
inline int __any_sync(unsigned, int predicate) {
  const vitrail::emulator::LaneWords* lanes = vitrail::emulator::exchangeAll({{predicate != 0}});
  for (int lane = 0; lane < 32; lane++) {
    if (lanes[lane].of[0] == 1) return 1;
  }
  return 0;
}

// One block runs at a time, and fibers switch only at barriers, so plain accesses are atomic.
template <typename T> T atomicMax(T* at, T value) {
  const T before = *at;
  if (value > before) *at = value;
  return before;
}
template <typename T> T atomicOr(T* at, T value) {
  const T before = *at;
  *at = before | value;
  return before;
}

inline float __uint_as_float(uint32_t word) {
  float value;
  memcpy(&value, &word, sizeof value);
  return value;
}
inline uint32_t __float_as_uint(float value) {
  uint32_t word;
  memcpy(&word, &value, sizeof word);
  return word;
}
inline int32_t __float_as_int(float value) { return static_cast<int32_t>(__float_as_uint(value)); }
inline int __double2int_rn(double x) { return static_cast<int>(nearbyint(x)); }
template <typename T> constexpr T min(T a, T b) { return b < a ? b : a; }
template <typename T> constexpr T max(T a, T b) { return a < b ? b : a; }
