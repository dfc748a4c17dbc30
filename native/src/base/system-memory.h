// Where the allocator's blocks come from: the system's memory, or a GPU's.
#pragma once
#include <cstddef>

namespace vitrail {

// Null when there is no more.
void* takeFromSystem(size_t bytes);
void returnToSystem(void* block);

}  // namespace vitrail
