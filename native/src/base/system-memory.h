// The source of the allocator's blocks: the system's memory, or a GPU's.
#pragma once
#include <cstddef>

namespace vitrail {

// Returns null when there is no more memory.
void* takeFromSystem(size_t bytes);
void returnToSystem(void* block);

}  // namespace vitrail
