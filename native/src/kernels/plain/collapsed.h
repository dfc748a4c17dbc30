// Simplifies walks over two arrays before kernels get them. Host code. It is static, because every level
// compiles its own.
#pragma once
#include "binary.h"

namespace vitrail {

// The same walk over fewer dimensions: those of size 1 are left out, and neighbours with matching strides
// become one.
static BinaryTask collapsed(const BinaryTask& task) {
  BinaryTask r = task;
  r.dimensions = 0;
  for (int d = 0; d < task.dimensions; d++) {
    if (task.shape[d] == 1) continue;
    const int last = r.dimensions - 1;
    const bool even = last >= 0 && r.stridesA[last] == task.stridesA[d] * task.shape[d] &&
                      r.stridesB[last] == task.stridesB[d] * task.shape[d];
    const int to = even ? last : r.dimensions++;
    r.shape[to] = even ? r.shape[to] * task.shape[d] : task.shape[d];
    r.stridesA[to] = task.stridesA[d];
    r.stridesB[to] = task.stridesB[d];
  }
  if (r.dimensions == 0) {
    r.dimensions = 1;
    r.shape[0] = 1;
    r.stridesA[0] = r.stridesB[0] = 0;
  }
  return r;
}

}  // namespace vitrail
