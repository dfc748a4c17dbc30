// Moves words between strides and by index, whatever the words mean.
#pragma once
#include "../../../kernels/plain/copy.h"
#include "../../launch.h"

namespace vitrail::cuda {

constexpr unsigned kMoveThreads = 256;
// Words that a thread moves, all read before any is written.
constexpr int kMoves = 4;

// The index of the thread's word `j`: neighbouring threads take neighbouring words.
__device__ __forceinline__ size_t moveIndex(int j) {
  return (size_t{blockIdx.x} * kMoves + static_cast<size_t>(j)) * blockDim.x + threadIdx.x;
}

// y at offsetY + sum(index stridesY) = x at offsetX + sum(index stridesX), in words, `length` in all.
template <typename Word> __global__ void copyKernel(CopyTask t, size_t length) {
  const Word* x = t.x.as<const Word>() + t.offsetX;
  Word* y = t.y.as<Word>() + t.offsetY;
  Word words[kMoves];
  int64_t to[kMoves];
#pragma unroll
  for (int j = 0; j < kMoves; j++) {
    size_t rest = moveIndex(j);
    if (rest >= length) continue;
    int64_t from = 0;
    to[j] = 0;
    for (int d = t.dimensions - 1; d >= 0; d--) {
      const size_t size = static_cast<size_t>(t.shape[d]), next = d > 0 ? rest / size : 0;
      const auto index = static_cast<int64_t>(rest - next * size);
      from += index * t.stridesX[d];
      to[j] += index * t.stridesY[d];
      rest = next;
    }
    words[j] = x[from];
  }
#pragma unroll
  for (int j = 0; j < kMoves; j++) {
    if (moveIndex(j) < length) y[to[j]] = words[j];
  }
}

constexpr int kTile = 32, kTileRows = 8;

// Transposes tiles of the last two dimensions, p and q: x lies side by side along p, y along q.
template <typename Word> __global__ void transposeKernel(CopyTask t, unsigned acrossP, unsigned acrossQ) {
  // One extra column, so that words of a column lie in different banks.
  Word* tile = sharedMemory<Word>();
  constexpr int kRow = kTile + 1;
  const int q = t.dimensions - 1, p = q - 1, lane = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y);
  const int64_t startP = int64_t{blockIdx.x % acrossP} * kTile;
  const int64_t startQ = int64_t{blockIdx.x / acrossP % acrossQ} * kTile;
  int64_t offsetX = t.offsetX, offsetY = t.offsetY, rest = blockIdx.x / acrossP / acrossQ;
  for (int d = p - 1; d >= 0; d--) {
    const int64_t index = rest % t.shape[d];
    rest /= t.shape[d];
    offsetX += index * t.stridesX[d];
    offsetY += index * t.stridesY[d];
  }
  const Word* x = t.x.as<const Word>() + offsetX + startP + lane;
  for (int i = row; i < kTile; i += kTileRows) {
    const bool within = startP + lane < t.shape[p] && startQ + i < t.shape[q];
    if (within) tile[i * kRow + lane] = x[(startQ + i) * t.stridesX[q]];
  }
  __syncthreads();
  Word* y = t.y.as<Word>() + offsetY + startQ + lane;
  for (int i = row; i < kTile; i += kTileRows) {
    const bool within = startP + i < t.shape[p] && startQ + lane < t.shape[q];
    if (within) y[(startP + i) * t.stridesY[p]] = tile[lane * kRow + i];
  }
}

// x [outer, axis, inner], y [outer, count, inner] in words.
template <typename Word> __global__ void gatherKernel(GatherTask t, size_t length) {
  const auto inner = static_cast<size_t>(t.inner), count = static_cast<size_t>(t.count);
  const auto axis = static_cast<size_t>(t.axis);
  const Word* x = t.x.as<const Word>();
  Word words[kMoves];
#pragma unroll
  for (int j = 0; j < kMoves; j++) {
    const size_t at = moveIndex(j);
    if (at >= length) continue;
    const size_t row = at / inner, outer = row / count;
    const int64_t index = t.indices[row - outer * count];
    const bool known = index >= 0 && index < t.axis;
    words[j] = Word{};
    if (known) words[j] = x[(outer * axis + static_cast<size_t>(index)) * inner + (at - row * inner)];
  }
#pragma unroll
  for (int j = 0; j < kMoves; j++) {
    const size_t at = moveIndex(j);
    if (at < length) t.y.as<Word>()[at] = words[j];
  }
}

}  // namespace vitrail::cuda
