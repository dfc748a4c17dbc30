// Many ranges of flat arrays in one launch. Each block takes a part of one range. The ranges are arguments of
// the launch, so nothing has to be uploaded first.
#pragma once
#include <algorithm>

#include "../../launch.h"
#include "range.h"

namespace vitrail::cuda {

// Together with the kernels' other arguments at most 4 KiB, the limit of a launch.
constexpr int kMostRanges = 108;

struct RangeTable {
  Range ranges[kMostRanges];
  // For each range, the first block that works on it; at the end, the number of blocks.
  uint32_t firstBlock[kMostRanges + 1];
  int count;
};

struct Part {
  int range;
  // Within the arrays; `length` is at most the elements of a part.
  size_t offset, length;
};

// The part of block number blockIdx.x.
__device__ __forceinline__ Part partOf(const RangeTable& table, size_t elements) {
  int low = 0, high = table.count;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (table.firstBlock[middle] <= blockIdx.x) low = middle;
    else high = middle;
  }
  const size_t start = (blockIdx.x - table.firstBlock[low]) * elements, left = table.ranges[low].length - start;
  return {low, table.ranges[low].offset + start, left < elements ? left : elements};
}

// Calls body(table, index of its first range) for as many tables as the ranges need. Ranges without elements have no
// blocks, and partOf finds none of them.
template <typename Body> void inTables(const Range* ranges, int count, size_t elements, Body body) {
  RangeTable table;
  for (int first = 0; first < count; first += kMostRanges) {
    table.count = std::min(kMostRanges, count - first);
    uint32_t blocks = 0;
    for (int i = 0; i < table.count; i++) {
      table.ranges[i] = ranges[first + i];
      table.firstBlock[i] = blocks;
      blocks += blocksFor(ranges[first + i].length, elements);
    }
    table.firstBlock[table.count] = blocks;
    body(static_cast<const RangeTable&>(table), first);
  }
}

// Four neighbouring elements of [length]; those beyond are 0. `at` is a multiple of 4, `from` any element's address.
template <typename T> __device__ __forceinline__ void loadFour(const T* from, size_t at, size_t length, T (&v)[4]) {
  static_assert(sizeof(T) == 4, "words");
  if (at + 4 <= length && (reinterpret_cast<uintptr_t>(from) & 15) == 0) {
    const uint4 words = *reinterpret_cast<const uint4*>(from + at);
    memcpy(v, &words, sizeof words);
  } else {
    for (int j = 0; j < 4; j++) v[j] = at + j < length ? from[at + j] : T{};
  }
}

template <typename T> __device__ __forceinline__ void storeFour(T* to, size_t at, size_t length, const T (&v)[4]) {
  if (at + 4 <= length && (reinterpret_cast<uintptr_t>(to) & 15) == 0) {
    uint4 words;
    memcpy(&words, v, sizeof words);
    *reinterpret_cast<uint4*>(to + at) = words;
  } else {
    for (int j = 0; j < 4; j++) {
      if (at + j < length) to[at + j] = v[j];
    }
  }
}

}  // namespace vitrail::cuda
