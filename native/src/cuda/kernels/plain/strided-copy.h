// Copies in words of several elements. Host code.
#pragma once
#include "../../../kernels/plain/simplified.h"

namespace vitrail::cuda {

// Functions on a simplified task.
inline bool isContiguous(const CopyTask& t) { return t.dimensions == 1 && t.stridesX[0] == 1 && t.stridesY[0] == 1; }

// Whether a word of `each` neighbouring elements can be moved at a time.
inline bool isOfWords(const CopyTask& t, int64_t each) {
  const int inner = t.dimensions - 1;
  if (t.stridesX[inner] != 1 || t.stridesY[inner] != 1 || t.shape[inner] % each != 0) return false;
  if (t.offsetX % each != 0 || t.offsetY % each != 0) return false;
  for (int d = 0; d < inner; d++) {
    if (t.stridesX[d] % each != 0 || t.stridesY[d] % each != 0) return false;
  }
  return true;
}

// The same task over words.
inline CopyTask inWords(const CopyTask& task, int64_t each) {
  CopyTask t = task;
  const int inner = t.dimensions - 1;
  t.shape[inner] /= each;
  t.offsetX /= each;
  t.offsetY /= each;
  for (int d = 0; d < inner; d++) {
    t.stridesX[d] /= each;
    t.stridesY[d] /= each;
  }
  return t;
}

// For fewer rows or columns a tile is not worth while.
constexpr int64_t kLeastTransposed = 8;

// Whether the copy is one of transposed planes. Brings the dimension along which x lies side by side next to the last.
inline bool transposes(CopyTask& t) {
  const int last = t.dimensions - 1;
  if (t.stridesX[last] == 1 || t.stridesY[last] != 1 || t.shape[last] < kLeastTransposed) return false;
  for (int d = 0; d < last; d++) {
    if (t.stridesX[d] != 1 || t.shape[d] < kLeastTransposed) continue;
    exchange(t, d, last - 1);
    return true;
  }
  return false;
}

}  // namespace vitrail::cuda
