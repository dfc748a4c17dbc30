// Starts kernels: on a GPU or, if the host's compiler builds the same file, on the emulator. Kernel files get all of
// CUDA's language from here.
//
// A kernel file uses only what both have: __global__, __device__, threadIdx and the like, __syncthreads, shuffles of a
// whole warp, atomics on words, dynamic shared memory through sharedMemory<T>(), and launch() instead of <<<>>>.
#pragma once
#include "../base/context.h"
#if defined(__CUDACC__)
#include "check.h"
#else
#include "emulator/language.h"
#endif

namespace vitrail::cuda {

constexpr int kWarp = 32;

struct Grid {
  dim3 blocks;
  dim3 threads;
  // Bytes of dynamic shared memory of a block.
  size_t shared = 0;
};

// The shared memory that a block may use without a special request.
constexpr size_t kOrdinarySharedBytes = 48 * 1024;

// The number of blocks for `count` things, of which a block takes `each`.
inline unsigned blocksFor(size_t count, size_t each) { return static_cast<unsigned>((count + each - 1) / each); }

// Starts nothing if the grid is empty. Kernels of a device run in the order in which they are launched.
template <typename... P, typename... A>
void launch(const Context& context, void (*kernel)(P...), const Grid& grid, A... arguments) {
  if (grid.blocks.x == 0 || grid.blocks.y == 0 || grid.blocks.z == 0) return;
#if defined(__CUDACC__)
  if (grid.shared > kOrdinarySharedBytes) {
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(grid.shared)),
          "shared memory");
  }
  kernel<<<grid.blocks, grid.threads, grid.shared, context.device.stream()>>>(static_cast<P>(arguments)...);
  check(cudaGetLastError(), "launch");
#else
  static_cast<void>(context);
  emulator::runGrid(grid.blocks, grid.threads, grid.shared, [&] { kernel(static_cast<P>(arguments)...); });
#endif
}

#if defined(__CUDACC__)
// The block's dynamic shared memory, 128-byte aligned.
template <typename T> __device__ __forceinline__ T* sharedMemory() {
  extern __shared__ __align__(128) unsigned char vitrailShared[];
  return reinterpret_cast<T*>(vitrailShared);
}
#else
template <typename T> T* sharedMemory() { return reinterpret_cast<T*>(emulator::blockMemory()); }
#endif

}  // namespace vitrail::cuda
