// Computes numbers of elements from the sizes that JavaScript passes, without overflow.
#pragma once
#include <initializer_list>

#include "arguments.h"

namespace vitrail {

// More elements than any memory holds. Such a number times 64 still fits into an int64_t.
constexpr int64_t kMostElements = int64_t{1} << 50;

// The product of sizes that are not negative, but at most kMostElements, which no buffer has.
inline int64_t product(std::initializer_list<int64_t> sizes) {
  int64_t result = 1;
  bool beyond = false;
  for (int64_t size : sizes) {
    if (size == 0) return 0;
    beyond = beyond || result > kMostElements / size;
    if (!beyond) result *= size;
  }
  return beyond ? kMostElements : result;
}

// A number of rows, images, tokens or features, so small that additions and subtractions cannot overflow.
inline int64_t size(const Arguments& arguments, const char* name, int64_t lowest = 0) {
  return arguments.integer(name, lowest, int64_t{1} << 40);
}

}  // namespace vitrail
