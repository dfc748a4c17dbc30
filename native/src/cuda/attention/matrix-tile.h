// Rows of a head in shared memory and in the registers of a warp, in the layouts of tensor cores.
#pragma once
#include "../mma.h"
#include "head.h"

namespace vitrail::cuda::attention {

constexpr unsigned kAllLanes = 0xffffffff;
constexpr float kLog2OfE = 1.44269504f, kLogOf2 = 0.693147181f;

// 8 bf16, a row of the matrices of loadMatrices.
constexpr int kChunk = 8;
constexpr int kChunkBytes = 16;

__device__ __forceinline__ int laneOfThread() { return static_cast<int>(threadIdx.x) % kWarp; }
__device__ __forceinline__ int warpOfThread() { return static_cast<int>(threadIdx.x) / kWarp; }

// The bits that are inverted in the number of a row's chunk. They permute the chunks so that those of 8 rows
// at the same position lie in different banks.
__host__ __device__ constexpr int twistBits(int chunks) { return chunks % 8 == 0 ? 7 : chunks % 4 == 0 ? 3 : 1; }
__host__ __device__ constexpr int twistOf(int chunks, int row) {
  return chunks % 8 == 0 ? row & 7 : chunks % 4 == 0 ? row >> 1 & 3 : row >> 2 & 1;
}

// [rows, kWidth] bf16, kWidth a multiple of 16, without gaps from 128-byte aligned memory on.
template <int kWidth> struct Tile {
  static constexpr int kChunks = kWidth / kChunk;
  static constexpr int kRowBytes = kWidth * 2;

  SharedAddress bytes;

  __device__ __forceinline__ SharedAddress chunk(int row, int c) const {
    return bytes + row * kRowBytes + (c ^ twistOf(kChunks, row)) * kChunkBytes;
  }
  __device__ __forceinline__ Tile from(int row) const { return {bytes + row * kRowBytes}; }

  // Of the functions below, `row` is a multiple of 16. Rows [row, row + 16), elements [16 k, 16 k + 16).
  //
  // An A of rows; or, with columns in the direction of the sum, the two B of elements [16 k, + 8) and the next 8, each
  // in two words.
  template <bool kTransposed> __device__ __forceinline__ void rowsFirst(Fragment& words, int row, int k) const {
    const int lane = laneOfThread();
    loadMatrices<kTransposed>(words, onward(chunk(row + lane % 16, lane / 16), k));
  }
  // With rows as columns of the product: the two B of rows [row, + 8) and the next 8, each in two words.
  __device__ __forceinline__ void chunksFirst(Fragment& words, int row, int k) const {
    const int lane = laneOfThread();
    loadMatrices<false>(words, onward(chunk(row + lane % 8 + lane / 16 * 8, lane / 8 % 2), k));
  }

 private:
  // From chunk 0 or 1 of a row to that of elements [16 k, 16 k + 16). Nothing here is the same for all rows, or the
  // compiler would keep one register for every k.
  static __device__ __forceinline__ SharedAddress onward(SharedAddress at, int k) {
    const int c = 2 * k;
    return turned(at, static_cast<unsigned>((c & twistBits(kChunks)) * kChunkBytes)) +
           (c & ~twistBits(kChunks)) * kChunkBytes;
  }
};

// Rows of one head, of bf16 with a width that is a multiple of 8.
struct MatrixRows {
  uint16_t* first;
  // Elements from one row to the next.
  size_t stride;
  // The number of rows, and of chunks in a row.
  int rows, chunks;

  __device__ __forceinline__ uint16_t* at(int row, int column) const {
    return first + static_cast<size_t>(row) * stride + static_cast<size_t>(column);
  }
};
__device__ __forceinline__ MatrixRows matrixRows(const HeadRows& x) {
  return {x.tensor.bf16() + x.first, x.stride, x.rows, x.width / kChunk};
}

// Rows [firstRow, firstRow + count) to `to`, zeros beyond the last row or chunk, by `threads` threads of which this is
// number `thread`: neighbours take neighbouring chunks.
template <int kWidth> __device__ __forceinline__ void copyRows(const MatrixRows& from, int firstRow, int count,
                                                               const Tile<kWidth>& to, int thread, int threads) {
  constexpr int kChunks = Tile<kWidth>::kChunks;
#pragma unroll 1
  for (int i = thread; i < count * kChunks; i += threads) {
    const int row = i / kChunks, c = i % kChunks;
    const bool there = firstRow + row < from.rows && c < from.chunks;
    copyAsync(to.chunk(row, c), there ? from.at(firstRow + row, c * kChunk) : from.first, there);
  }
}

// The four lanes of a row of C exchange words. Lane t gets word t of each lane, in their order.
__device__ __forceinline__ void exchangeInFour(Fragment& words) {
  const int lane = laneOfThread();
  const bool odd = lane % 2 != 0, upper = lane % 4 >= 2;
#pragma unroll
  for (int i = 0; i < 4; i += 2) {
    const uint32_t given = __shfl_xor_sync(kAllLanes, odd ? words[i] : words[i + 1], 1);
    if (odd) words[i] = given;
    else words[i + 1] = given;
  }
#pragma unroll
  for (int i = 0; i < 2; i++) {
    const uint32_t given = __shfl_xor_sync(kAllLanes, upper ? words[i] : words[i + 2], 2);
    if (upper) words[i] = given;
    else words[i + 2] = given;
  }
}

// Row `row` of `to`, from chunk firstChunk on, = factor x elements [2 half, 2 half + 2) of this lane's in each C of a
// row of them.
template <int kWidth> __device__ __forceinline__ void writeRow(const MatrixRows& to, int row, int firstChunk,
                                                               const Accumulator (&c)[kWidth / 8], int half,
                                                               float factor) {
  const int t = laneOfThread() % 4;
  const bool there = row < to.rows;
  constexpr int kWhole = kWidth / 32;
#pragma unroll
  for (int i = 0; i < kWhole; i++) {
    Fragment words;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      words[j] = narrowTwo(c[4 * i + j][2 * half] * factor, c[4 * i + j][2 * half + 1] * factor);
    }
    exchangeInFour(words);
    const int chunk = firstChunk + 4 * i + t;
    if (there && chunk < to.chunks) {
      *reinterpret_cast<uint4*>(to.at(row, chunk * kChunk)) = make_uint4(words[0], words[1], words[2], words[3]);
    }
  }
#pragma unroll
  for (int j = kWhole * 4; j < kWidth / 8; j++) {
    const int chunk = firstChunk + j;
    if (there && chunk < to.chunks) {
      *reinterpret_cast<uint32_t*>(to.at(row, chunk * kChunk + 2 * t)) =
          narrowTwo(c[j][2 * half] * factor, c[j][2 * half + 1] * factor);
    }
  }
}

// Two neighbouring C of a row, as the A of 16 columns.
__device__ __forceinline__ void roundToA(const Accumulator (&c)[2], Fragment& a) {
  a[0] = narrowTwo(c[0][0], c[0][1]);
  a[1] = narrowTwo(c[0][2], c[0][3]);
  a[2] = narrowTwo(c[1][0], c[1][1]);
  a[3] = narrowTwo(c[1][2], c[1][3]);
}

__device__ __forceinline__ float sumOfFour(float value) {
  value += __shfl_xor_sync(kAllLanes, value, 1);
  return value + __shfl_xor_sync(kAllLanes, value, 2);
}
__device__ __forceinline__ float maximumOfFour(float value) {
  value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, 1));
  return fmaxf(value, __shfl_xor_sync(kAllLanes, value, 2));
}

}  // namespace vitrail::cuda::attention
