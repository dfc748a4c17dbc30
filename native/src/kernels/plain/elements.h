// Divides arrays into chunks, for kernels that compute each element by itself.
#pragma once
#include "../../base/context.h"
#include "../vector.h"

namespace vitrail::VITRAIL_VARIANT {

constexpr size_t kElementChunk = 16384;

// Calls body(start, end) for the chunks of an array.
template <typename Body> VITRAIL_INLINE void eachChunk(const Context& context, size_t length, const Body& body) {
  const int chunks = static_cast<int>((length + kElementChunk - 1) / kElementChunk);
  context.pool.run(chunks, [&](int chunk, int) {
    const size_t start = static_cast<size_t>(chunk) * kElementChunk;
    const size_t end = start + kElementChunk < length ? start + kElementChunk : length;
    body(start, end);
  });
}

}  // namespace vitrail::VITRAIL_VARIANT
