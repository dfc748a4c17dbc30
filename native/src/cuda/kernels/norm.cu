// Layer normalisation. All of it is bound by memory, so every operand is read once.
//
// A warp has a row. Where the row is made of 16-byte groups and not too wide, it stays in registers: lane l has the
// groups l, l + 32, ..., the statistics are two passes over registers (mean, then deviations from it) and two butterflies
// of shuffles. All else (odd widths, wide rows, storages that differ) goes through kernels that read memory element by
// element, several times.
//
// On the way back a block has a range of rows and its warps take turns. dScale and dShift are sums over rows: each lane
// adds up its columns of the rows that its warp meets, the block adds up its warps, and sumKernel adds up the blocks. How
// rows are shared out follows from their number alone, so the sums have the same bits on every GPU.
#include "../../kernels/norm.h"

#include <type_traits>

#include "../any-elements.h"
#include "../packed-group.h"
#include "../sums.h"

namespace vitrail::cuda {

namespace {

constexpr int kWarps = 4;
constexpr unsigned kThreads = kWarps * kWarp;
// A span: the columns of one group of each lane.
constexpr size_t kSpan = kWarp * kGroup;
// Blocks on the way back: enough to fill the largest GPU, few enough that their sums are next to nothing.
constexpr size_t kFewestRowsOfBlock = 16, kMostBlocks = 1024;

// Calls body(k, column) for each span of a row: where the lane's group in it begins. The last span may end before it.
template <int kSpans, typename Body> __device__ __forceinline__ void eachSpan(size_t width, const Body& body) {
  const size_t first = threadIdx.x % kWarp * kGroup;
  const bool hasLast = first + (kSpans - 1) * kSpan < width;
#pragma unroll
  for (int k = 0; k < kSpans; k++) {
    if (k < kSpans - 1 || hasLast) body(k, first + k * kSpan);
  }
}

struct Statistics {
  float* mean;
  float* rstd;
  // False: they are to be written.
  bool areKnown;
  float epsilon;
};

__device__ __forceinline__ float rstdOf(float squares, float width, float epsilon) {
  return 1.0f / sqrtf(squares / width + epsilon);
}

// Contracted by hand: every kernel that writes y gives the same bits.
__device__ __forceinline__ float normalised(float x, float mean, float rstd, float scale, float shift) {
  return fmaf((x - mean) * rstd, scale, shift);
}

__device__ __forceinline__ void loadColumns(const float* from, size_t at, float (&v)[kGroup]) {
  Elements<false>{const_cast<float*>(from)}.loadGroup(at, at + kGroup, v);
}

// Forward, and again from known statistics.
template <int kSpans, bool kBf16>
__global__ void __launch_bounds__(kThreads)
    forwardKernel(NormShape shape, Elements<kBf16> x, Elements<kBf16> y, const float* scale, const float* shift,
                  Statistics statistics) {
  const size_t row = size_t{blockIdx.x} * kWarps + threadIdx.x / kWarp;
  if (row >= shape.rows) return;
  const size_t from = row * shape.stride, to = row * shape.width;
  PackedGroup<kBf16> v[kSpans];
  eachSpan<kSpans>(shape.width, [&](int k, size_t at) { v[k] = PackedGroup<kBf16>::load(x, from + at); });
  float mean, rstd;
  if (statistics.areKnown) {
    mean = statistics.mean[row], rstd = statistics.rstd[row];
  } else {
    const float width = static_cast<float>(shape.width);
    float sum = 0, squares = 0;
    eachSpan<kSpans>(shape.width, [&](int k, size_t) {
      for (int j = 0; j < kGroup; j++) sum += v[k][j];
    });
    mean = warpSum(sum) / width;
    eachSpan<kSpans>(shape.width, [&](int k, size_t) {
      for (int j = 0; j < kGroup; j++) squares += (v[k][j] - mean) * (v[k][j] - mean);
    });
    rstd = rstdOf(warpSum(squares), width, statistics.epsilon);
    if (threadIdx.x % kWarp == 0) statistics.mean[row] = mean, statistics.rstd[row] = rstd;
  }
  eachSpan<kSpans>(shape.width, [&](int k, size_t at) {
    float scales[kGroup], shifts[kGroup], values[kGroup];
    loadColumns(scale, at, scales);
    loadColumns(shift, at, shifts);
    for (int j = 0; j < kGroup; j++) values[j] = normalised(v[k][j], mean, rstd, scales[j], shifts[j]);
    PackedGroup<kBf16>::of(values).store(y, to + at);
  });
}

// The same for any row: a warp reads it from memory in each pass.
__global__ void forwardAnyKernel(NormShape shape, AnyElements x, AnyElements y, const float* scale, const float* shift,
                                 Statistics statistics) {
  const size_t row = size_t{blockIdx.x} * kWarps + threadIdx.x / kWarp;
  if (row >= shape.rows) return;
  const size_t lane = threadIdx.x % kWarp, from = row * shape.stride, to = row * shape.width;
  float mean, rstd;
  if (statistics.areKnown) {
    mean = statistics.mean[row], rstd = statistics.rstd[row];
  } else {
    const float width = static_cast<float>(shape.width);
    float sum = 0, squares = 0;
    for (size_t i = lane; i < shape.width; i += kWarp) sum += x.at(from + i);
    mean = warpSum(sum) / width;
    for (size_t i = lane; i < shape.width; i += kWarp) {
      const float centred = x.at(from + i) - mean;
      squares += centred * centred;
    }
    rstd = rstdOf(warpSum(squares), width, statistics.epsilon);
    if (lane == 0) statistics.mean[row] = mean, statistics.rstd[row] = rstd;
  }
  for (size_t i = lane; i < shape.width; i += kWarp) {
    y.set(to + i, normalised(x.at(from + i), mean, rstd, scale[i], shift[i]));
  }
}

// Rows [start, end) of a block.
struct Range {
  size_t start, end;
};
__device__ __forceinline__ Range rowsOfBlock(size_t rows) {
  return {blockIdx.x * rows / gridDim.x, (blockIdx.x + size_t{1}) * rows / gridDim.x};
}

// With g = dy scale and n the normalised row: dx = residual + rstd (g - mean(g) - n mean(g n)).
struct RowGradient {
  float mean, rstd, meanOfG, meanOfProducts;

  __device__ __forceinline__ float n(float x) const { return (x - mean) * rstd; }
  __device__ __forceinline__ float dx(float x, float g) const {
    return (g - meanOfG - n(x) * meanOfProducts) * rstd;
  }
};

// Backward of the rows of a block; its sums go to partial[block][2][kSpans][8][32]: column (32 k + lane) 8 + j of dScale,
// or dShift, is at [k][j][lane], so that neither shared memory nor memory is met in strides.
template <int kSpans, bool kBf16>
__global__ void __launch_bounds__(kThreads)
    backwardKernel(NormShape shape, Elements<kBf16> x, Elements<kBf16> dy, const float* scale, const float* mean,
                   const float* rstd, Elements<kBf16> residual, Elements<kBf16> dx, float* partial) {
  const unsigned lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const float width = static_cast<float>(shape.width);
  float dScale[kSpans][kGroup] = {}, dShift[kSpans][kGroup] = {};
  const Range range = rowsOfBlock(shape.rows);
  for (size_t row = range.start + warp; row < range.end; row += kWarps) {
    const size_t from = row * shape.stride, given = row * shape.width;
    PackedGroup<kBf16> xs[kSpans], dys[kSpans], residuals[kSpans];
    eachSpan<kSpans>(shape.width, [&](int k, size_t at) {
      xs[k] = PackedGroup<kBf16>::load(x, from + at);
      dys[k] = PackedGroup<kBf16>::load(dy, given + at);
      // Long before it is needed: the sums below take a while.
      if (residual.data) residuals[k] = PackedGroup<kBf16>::load(residual, from + at);
    });
    RowGradient r = {mean[row], rstd[row], 0, 0};
    float sum = 0, products = 0;
    eachSpan<kSpans>(shape.width, [&](int k, size_t at) {
      float scales[kGroup];
      loadColumns(scale, at, scales);
      for (int j = 0; j < kGroup; j++) {
        const float d = dys[k][j], n = r.n(xs[k][j]), g = d * scales[j];
        sum += g;
        products += g * n;
        dScale[k][j] += d * n;
        dShift[k][j] += d;
      }
    });
    r.meanOfG = warpSum(sum) / width;
    r.meanOfProducts = warpSum(products) / width;
    eachSpan<kSpans>(shape.width, [&](int k, size_t at) {
      float scales[kGroup], values[kGroup];
      loadColumns(scale, at, scales);
      for (int j = 0; j < kGroup; j++) {
        values[j] = r.dx(xs[k][j], dys[k][j] * scales[j]);
        if (residual.data) values[j] += residuals[k][j];
      }
      PackedGroup<kBf16>::of(values).store(dx, from + at);
    });
  }
  __shared__ float sums[2][kSpans][kGroup][kWarp];
  for (unsigned turn = 0; turn < kWarps; turn++) {
    if (warp == turn) {
#pragma unroll
      for (int k = 0; k < kSpans; k++) {
#pragma unroll
        for (int j = 0; j < kGroup; j++) {
          sums[0][k][j][lane] = turn == 0 ? dScale[k][j] : sums[0][k][j][lane] + dScale[k][j];
          sums[1][k][j][lane] = turn == 0 ? dShift[k][j] : sums[1][k][j][lane] + dShift[k][j];
        }
      }
    }
    __syncthreads();
  }
  constexpr size_t kSums = 2 * kSpans * kSpan;
  const float* all = &sums[0][0][0][0];
  for (size_t i = threadIdx.x; i < kSums; i += kThreads) partial[blockIdx.x * kSums + i] = all[i];
}

// The same for any row: the block has one row at a time, and its sums lie in partial[block][2][space], column by column.
__global__ void backwardAnyKernel(NormShape shape, AnyElements x, AnyElements dy, const float* scale, const float* mean,
                                  const float* rstd, AnyElements residual, AnyElements dx, float* partial,
                                  size_t space) {
  __shared__ float warpSums[2][kMostWarps];
  const float width = static_cast<float>(shape.width);
  float* dScale = partial + blockIdx.x * 2 * space;
  float* dShift = dScale + space;
  for (size_t i = threadIdx.x; i < space; i += blockDim.x) dScale[i] = dShift[i] = 0;
  const Range range = rowsOfBlock(shape.rows);
  for (size_t row = range.start; row < range.end; row++) {
    const size_t from = row * shape.stride, given = row * shape.width;
    RowGradient r = {mean[row], rstd[row], 0, 0};
    float sum = 0, products = 0;
    for (size_t i = threadIdx.x; i < shape.width; i += blockDim.x) {
      const float d = dy.at(given + i), n = r.n(x.at(from + i)), g = d * scale[i];
      sum += g;
      products += g * n;
      dScale[i] += d * n;
      dShift[i] += d;
    }
    r.meanOfG = blockSum(sum, warpSums[0]) / width;
    r.meanOfProducts = blockSum(products, warpSums[1]) / width;
    for (size_t i = threadIdx.x; i < shape.width; i += blockDim.x) {
      const float gradient = r.dx(x.at(from + i), dy.at(given + i) * scale[i]);
      dx.set(from + i, residual.data ? residual.at(from + i) + gradient : gradient);
    }
  }
}

// Adds up partial[count][2][space]. A block has 32 places: row y of its threads every 32nd of their values.
__global__ void sumKernel(const float* partial, size_t count, size_t space, size_t width, bool inGroups, float* dScale,
                          float* dShift) {
  __shared__ float sums[kWarp][kWarp + 1];
  const size_t start = size_t{blockIdx.x} * kWarp;
  float sum = 0;
#pragma unroll 8
  for (size_t i = threadIdx.y; i < count; i += kWarp) sum += partial[i * 2 * space + start + threadIdx.x];
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  const float total = warpSum(sums[threadIdx.x][threadIdx.y]);
  if (threadIdx.x != 0) return;
  const size_t place = start + threadIdx.y, at = place % space;
  const size_t inOrder = at / kSpan * kSpan + at % kWarp * kGroup + at / kWarp % kGroup;
  const size_t column = inGroups ? inOrder : at;
  if (column < width) (place < space ? dScale : dShift)[column] = total;
}

// Calls body with the number of spans of a row, as a type, where registers hold so many; else it is false.
template <bool kBf16, typename Body> bool withSpans(const NormShape& shape, const Body& body) {
  if (shape.width % kGroup != 0 || shape.stride % kGroup != 0) return false;
  switch ((shape.width + kSpan - 1) / kSpan) {
    case 1: return body(std::integral_constant<int, 1>{}), true;
    case 2: return body(std::integral_constant<int, 2>{}), true;
    case 3: return body(std::integral_constant<int, 3>{}), true;
    case 4: return body(std::integral_constant<int, 4>{}), true;
    default: break;
  }
  if constexpr (kBf16) {
    switch ((shape.width + kSpan - 1) / kSpan) {
      case 5: return body(std::integral_constant<int, 5>{}), true;
      case 6: return body(std::integral_constant<int, 6>{}), true;
      default: break;
    }
  }
  return false;
}

template <bool kBf16>
bool forwardInRegisters(const Context& context, const NormShape& shape, const Array& x, const Array& y,
                        const float* scale, const float* shift, const Statistics& statistics) {
  return withSpans<kBf16>(shape, [&](auto spans) {
    launch(context, forwardKernel<decltype(spans)::value, kBf16>, Grid{blocksFor(shape.rows, kWarps), kThreads}, shape,
           Elements<kBf16>{x.data}, Elements<kBf16>{y.data}, scale, shift, statistics);
  });
}

void normalise(const Context& context, const NormShape& shape, const Array& x, const Array& y, const float* scale,
               const float* shift, const Statistics& statistics) {
  const auto inRegisters = x.isBf16() ? forwardInRegisters<true> : forwardInRegisters<false>;
  if (x.storage == y.storage && inRegisters(context, shape, x, y, scale, shift, statistics)) return;
  launch(context, forwardAnyKernel, Grid{blocksFor(shape.rows, kWarps), kThreads}, shape, anyElements(x),
         anyElements(y), scale, shift, statistics);
}

void forward(const Context& context, const NormShape& shape, Array x, Array y, const float* scale, const float* shift,
             float epsilon, float* mean, float* rstd) {
  normalise(context, shape, x, y, scale, shift, {mean, rstd, false, epsilon});
}

void again(const Context& context, const NormShape& shape, Array x, Array y, const float* scale, const float* shift,
           const float* mean, const float* rstd) {
  normalise(context, shape, x, y, scale, shift, {const_cast<float*>(mean), const_cast<float*>(rstd), true, 0});
}

struct BackwardArrays {
  Array x, dy, residual, dx;
  const float *scale, *mean, *rstd;

  bool alike() const {
    return x.storage == dy.storage && x.storage == dx.storage && (!residual || x.storage == residual.storage);
  }
};

template <bool kBf16>
bool backwardInRegisters(const Context& context, const NormShape& shape, const Grid& grid, const BackwardArrays& a,
                         float* partial) {
  return withSpans<kBf16>(shape, [&](auto spans) {
    launch(context, backwardKernel<decltype(spans)::value, kBf16>, grid, shape, Elements<kBf16>{a.x.data},
           Elements<kBf16>{a.dy.data}, a.scale, a.mean, a.rstd, Elements<kBf16>{a.residual.data},
           Elements<kBf16>{a.dx.data}, partial);
  });
}

void backward(const Context& context, const NormShape& shape, Array x, Array dy, const float* scale, const float* mean,
              const float* rstd, Array residual, Array dx, float* dScale, float* dShift) {
  const size_t most = (shape.rows + kFewestRowsOfBlock - 1) / kFewestRowsOfBlock;
  const size_t blocks = most < kMostBlocks ? most : kMostBlocks;
  const size_t space = (shape.width + kSpan - 1) / kSpan * kSpan;
  const Scratch scratch(context.memory, blocks * 2 * space * sizeof(float));
  float* partial = scratch.as<float>();
  const BackwardArrays arrays = {x, dy, residual, dx, scale, mean, rstd};
  const Grid grid = {static_cast<unsigned>(blocks), kThreads};
  const auto inRegisters = x.isBf16() ? backwardInRegisters<true> : backwardInRegisters<false>;
  const bool inGroups = arrays.alike() && inRegisters(context, shape, grid, arrays, partial);
  if (!inGroups) {
    launch(context, backwardAnyKernel, grid, shape, anyElements(x), anyElements(dy), scale, mean, rstd,
           anyElements(residual), anyElements(dx), partial, space);
  }
  launch(context, sumKernel, Grid{blocksFor(2 * space, kWarp), dim3(kWarp, kWarp)}, partial, blocks, space, shape.width,
         inGroups, dScale, dShift);
}

}  // namespace

extern const NormKernels normKernels;
const NormKernels normKernels = {forward, again, backward};

}  // namespace vitrail::cuda
