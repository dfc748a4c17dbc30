// Checks how far strided walks over buffers reach.
#pragma once
#include "arguments.h"

namespace vitrail {

constexpr int64_t kMostElements = int64_t{1} << 40;

// The number of elements of a shape. Refuses more than there can be.
inline int64_t elementsOf(const Arguments& arguments, const int64_t* shape, int dimensions) {
  int64_t elements = 1;
  for (int d = 0; d < dimensions; d++) {
    if (shape[d] == 0) return 0;
  }
  for (int d = 0; d < dimensions; d++) {
    if (elements > kMostElements / shape[d]) arguments.refuse("shape", "more elements than there can be");
    elements *= shape[d];
  }
  return elements;
}

// Refuses a walk that leaves the array. The walk has at least one element.
inline void checkReach(const Arguments& arguments, const char* name, const Array& array, int64_t offset,
                       const int64_t* shape, const int64_t* strides, int dimensions) {
  // Each product is below 2^80.
  __int128 lowest = offset, highest = offset;
  for (int d = 0; d < dimensions; d++) {
    const __int128 reach = static_cast<__int128>(shape[d] - 1) * strides[d];
    (reach < 0 ? lowest : highest) += reach;
  }
  if (lowest < 0 || highest >= static_cast<__int128>(array.length)) {
    arguments.refuse(name, "offset and strides lead out of its " + std::to_string(array.length) + " elements");
  }
}

}  // namespace vitrail
