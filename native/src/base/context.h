// What every kernel call needs besides its operands.
#pragma once
#include "allocator.h"
#include "thread-pool.h"

namespace vitrail {

struct Context {
  Allocator& memory;
  ThreadPool& pool;
};

}  // namespace vitrail
