// Sums of one segment of the ring's vectors, with checksums: the same as sum.ts.
#pragma once
#include <cstddef>
#include <cstdint>

#include "../levels.h"

namespace vitrail {

// Sums of 32-bit words, modulo 2^32.
struct SegmentSums {
  uint32_t incoming = 0;
  uint32_t result = 0;
};

// Bytes need no alignment, and their number is a multiple of 4. One thread computes this, because a segment
// stays in the cache.
struct SegmentKernels {
  // out = incoming + mine, as wrapping int32.
  SegmentSums (*addIntegers)(const uint8_t* incoming, const uint8_t* mine, uint8_t* out, size_t bytes);
  // out = incoming + mine, as fp32.
  SegmentSums (*addFloats)(const uint8_t* incoming, const uint8_t* mine, uint8_t* out, size_t bytes);
  // out = incoming
  SegmentSums (*copy)(const uint8_t* incoming, uint8_t* out, size_t bytes);
  uint32_t (*checksum)(const uint8_t* bytes, size_t count);
};

VITRAIL_KERNEL_GROUP(SegmentKernels, segmentKernels)

}  // namespace vitrail
