// Numbers of elements from the sizes that JavaScript passes.
#pragma once
#include <initializer_list>

#include "arguments.h"

namespace vitrail {

// More elements than any memory holds; products of such numbers and 64 still fit an int64_t.
constexpr int64_t kMostElements = int64_t{1} << 50;

// The product of sizes that are not negative; beyond kMostElements, kMostElements: no buffer is as long.
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

// A number of rows, images, tokens, features: small enough to be added and subtracted without care.
inline int64_t size(const Arguments& arguments, const char* name, int64_t lowest = 0) {
  return arguments.integer(name, lowest, int64_t{1} << 40);
}

}  // namespace vitrail
