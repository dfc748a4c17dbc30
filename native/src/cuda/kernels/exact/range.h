// The part of a tensor in flat arrays that are processed together.
#pragma once
#include <cstddef>

namespace vitrail::cuda {

// Elements [offset, offset + length), and two numbers for them.
struct Range {
  size_t offset = 0, length = 0;
  double first = 0, second = 0;
};

}  // namespace vitrail::cuda
