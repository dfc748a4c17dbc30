// Copies made simple before kernels see them: in fewer dimensions, and in words of several elements. Host code.
#pragma once
#include "../../../kernels/plain/copy.h"

namespace vitrail::cuda {

inline int64_t sizeOf(int64_t stride) { return stride < 0 ? -stride : stride; }

inline void exchange(CopyTask& t, int d, int e) {
  for (int64_t* list : {t.shape, t.stridesX, t.stridesY}) {
    const int64_t kept = list[d];
    list[d] = list[e];
    list[e] = kept;
  }
}

// The same copy over fewer dimensions, ordered so that y is written as evenly as can be: those of size 1 are left out,
// neighbours that lie evenly on both sides become one. At least one dimension.
inline CopyTask simplified(const CopyTask& task) {
  CopyTask t = task;
  for (int d = 1; d < t.dimensions; d++) {
    for (int e = d; e > 0 && sizeOf(t.stridesY[e - 1]) < sizeOf(t.stridesY[e]); e--) exchange(t, e - 1, e);
  }
  int kept = 0;
  for (int d = 0; d < t.dimensions; d++) {
    if (t.shape[d] == 1) continue;
    const int last = kept - 1;
    const bool even = last >= 0 && t.stridesX[last] == t.stridesX[d] * t.shape[d] &&
                      t.stridesY[last] == t.stridesY[d] * t.shape[d];
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

// Of a simplified task.
inline bool isContiguous(const CopyTask& t) {
  return t.dimensions == 1 && t.stridesX[0] == 1 && t.stridesY[0] == 1;
}

// Whether `each` elements that lie side by side, a word, can be moved at a time.
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

// Fewer rows or columns are not worth a tile.
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
