// A part of flat arrays that are worked on together: a tensor's.
#pragma once
#include <cstddef>

namespace vitrail::cuda {

// Elements [offset, offset + length), and two numbers that hold for them alone.
struct Range {
  size_t offset = 0, length = 0;
  double first = 0, second = 0;
};

}  // namespace vitrail::cuda
