// Simplifies copies before kernels get them. Host code. It is static, because every level compiles its own.
#pragma once
#include "copy.h"

namespace vitrail {

static int64_t sizeOf(int64_t stride) { return stride < 0 ? -stride : stride; }

static void exchange(CopyTask& t, int d, int e) {
  for (int64_t* list : {t.shape, t.stridesX, t.stridesY}) {
    const int64_t kept = list[d];
    list[d] = list[e];
    list[e] = kept;
  }
}

// The same copy over fewer dimensions. Those of size 1 are left out, neighbours with matching strides on both
// sides become one, and the order is the best one for writing y. The result has at least one dimension.
static CopyTask simplified(const CopyTask& task) {
  CopyTask t = task;
  for (int d = 1; d < t.dimensions; d++) {
    for (int e = d; e > 0 && sizeOf(t.stridesY[e - 1]) < sizeOf(t.stridesY[e]); e--) exchange(t, e - 1, e);
  }
  int kept = 0;
  for (int d = 0; d < t.dimensions; d++) {
    if (t.shape[d] == 1) continue;
    const int last = kept - 1;
    const bool even =
        last >= 0 && t.stridesX[last] == t.stridesX[d] * t.shape[d] && t.stridesY[last] == t.stridesY[d] * t.shape[d];
    const int to = even ? last : kept++;
    t.shape[to] = even ? t.shape[to] * t.shape[d] : t.shape[d];
    t.stridesX[to] = t.stridesX[d];
    t.stridesY[to] = t.stridesY[d];
  }
  if (kept == 0) {
    t.shape[0] = t.stridesX[0] = t.stridesY[0] = 1;
    kept = 1;
  }
  t.dimensions = kept;
  return t;
}

}  // namespace vitrail
