// The objects that every kernel call needs besides its operands.
#pragma once
#include "allocator.h"
#if defined(VITRAIL_CUDA)
#include "../cuda/device.h"
#else
#include "thread-pool.h"
#endif

namespace vitrail {

struct Context {
  Allocator& memory;
#if defined(VITRAIL_CUDA)
  cuda::Device& device;
#else
  ThreadPool& pool;
#endif
};

}  // namespace vitrail
