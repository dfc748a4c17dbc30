// Sums of gradients, and the gradient from sums. Compiled without contraction, so the bits are those of
// TypeScript.
#include "reduction.h"

#include "../../sums.h"
#include "range-table.h"

namespace vitrail::cuda {

namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kWarps = kThreads / kWarp;
constexpr unsigned kFour = 4;
constexpr unsigned kRounds = 4;
// Elements of a block.
constexpr size_t kAdded = kThreads * kFour * kRounds;
constexpr size_t kScaled = 2 * kAdded;
constexpr int32_t kInfinity = 0x7f800000;

// The largest finite magnitude, and whether a value was not finite. Neither depends on the order. Floats of
// the same sign have the order of their bits.
struct Magnitudes {
  int32_t most = 0;
  int32_t infinite = 0;

  __device__ __forceinline__ void see(float value) {
    const int32_t magnitude = __float_as_int(value) & INT32_MAX;
    if (magnitude < kInfinity) most = max(most, magnitude);
    else infinite = 1;
  }

  // Must be called once, by all threads of a block.
  __device__ __forceinline__ void addTo(int32_t* statistics) {
    __shared__ int32_t mosts[kWarps], flags[kWarps];
    for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
      most = max(most, __shfl_xor_sync(0xffffffff, most, lanes));
      infinite |= __shfl_xor_sync(0xffffffff, infinite, lanes);
    }
    const unsigned warp = threadIdx.x / kWarp;
    if (threadIdx.x % kWarp == 0) mosts[warp] = most, flags[warp] = infinite;
    __syncthreads();
    if (threadIdx.x != 0) return;
    for (unsigned i = 1; i < kWarps; i++) most = max(most, mosts[i]), infinite |= flags[i];
    if (most != 0) atomicMax(&statistics[0], most);
    if (infinite != 0) atomicOr(&statistics[1], infinite);
  }
};

// Calls body(gradient, sum) for every element that this block takes, and stores the sums.
template <typename Sum, typename Body> __device__ __forceinline__ void addBlock(const float* __restrict__ gradient,
                                                                                Sum* __restrict__ sums, size_t length,
                                                                                int32_t* statistics, Body body) {
  Magnitudes magnitudes;
  for (unsigned round = 0; round < kRounds; round++) {
    const size_t at = size_t{blockIdx.x} * kAdded + (round * kThreads + threadIdx.x) * kFour;
    if (at >= length) break;
    float g[kFour];
    Sum s[kFour];
    // Elements beyond the end are 0, so their magnitude does not matter.
    loadFour(gradient, at, length, g);
    loadFour(sums, at, length, s);
    for (unsigned j = 0; j < kFour; j++) {
      magnitudes.see(g[j]);
      body(g[j], s[j]);
    }
    storeFour(sums, at, length, s);
  }
  magnitudes.addTo(statistics);
}

__global__ void quantiseKernel(const float* gradient, int32_t* sums, size_t length, double scale, double limit,
                               double microBatches, int32_t* statistics) {
  addBlock(gradient, sums, length, statistics, [=](float g, int32_t& sum) {
    const double x = g * scale;
    if (!(fabs(x) * microBatches <= limit)) return;
    // Sums wrap, as in JavaScript's typed arrays.
    sum = static_cast<int32_t>(static_cast<uint32_t>(sum) + static_cast<uint32_t>(__double2int_rn(x)));
  });
}

__global__ void floatKernel(const float* gradient, float* sums, size_t length, int32_t* statistics) {
  addBlock(gradient, sums, length, statistics, [=](float g, float& sum) {
    // Not `sum + 0`, which would turn a negative zero into a positive one.
    if ((__float_as_int(g) & INT32_MAX) < kInfinity) sum += g;
  });
}

// Squares are summed in the same tree on every GPU: a thread's groups of four, the lanes of a warp, the warps
// of a block. partials: [blocks]
template <typename Source> __global__ void scaleKernel(const Source* source, float* out,
                                                       const __grid_constant__ RangeTable table, double* partials) {
  __shared__ double sums[kWarps];
  const Part part = partOf(table, kScaled);
  const double scale = table.ranges[part.range].first;
  double squares = 0;
  for (size_t at = threadIdx.x * kFour; at < part.length; at += kThreads * kFour) {
    Source values[kFour];
    float scaled[kFour];
    loadFour(source + part.offset, at, part.length, values);
    for (unsigned j = 0; j < kFour; j++) {
      scaled[j] = static_cast<float>(values[j] * scale);
      // Left out, because 0 times a scale that is not finite is not 0.
      if (at + j < part.length) squares += static_cast<double>(scaled[j]) * scaled[j];
    }
    storeFour(out + part.offset, at, part.length, scaled);
  }
  squares = warpSum(squares);
  if (threadIdx.x % kWarp == 0) sums[threadIdx.x / kWarp] = squares;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (unsigned i = 1; i < kWarps; i++) squares += sums[i];
  partials[blockIdx.x] = squares;
}

// A warp for each range: squares[range] = sum of its blocks' partials.
__global__ void sumKernel(const __grid_constant__ RangeTable table, const double* partials, double* squares) {
  double sum = 0;
  const uint32_t end = table.firstBlock[blockIdx.x + 1];
  for (uint32_t i = table.firstBlock[blockIdx.x] + threadIdx.x; i < end; i += kWarp) sum += partials[i];
  sum = warpSum(sum);
  if (threadIdx.x == 0) squares[blockIdx.x] = sum;
}

}  // namespace

void quantiseAdd(const Context& context, const float* gradient, int32_t* sums, size_t length, const Quantisation& by,
                 int32_t* statistics) {
  launch(context, quantiseKernel, {blocksFor(length, kAdded), kThreads}, gradient, sums, length, by.scale, by.limit,
         by.microBatches, statistics);
}

void floatAdd(const Context& context, const float* gradient, float* sums, size_t length, int32_t* statistics) {
  launch(context, floatKernel, {blocksFor(length, kAdded), kThreads}, gradient, sums, length, statistics);
}

void scaleGradient(const Context& context, const void* source, bool integers, float* out, const Range* ranges,
                   int count, double* squares) {
  inTables(ranges, count, kScaled, [&](const RangeTable& table, int first) {
    const uint32_t blocks = table.firstBlock[table.count];
    Scratch scratch(context.memory, blocks * sizeof(double));
    double* partials = scratch.as<double>();
    const Grid grid = {blocks, kThreads};
    if (integers)
      launch(context, scaleKernel<int32_t>, grid, static_cast<const int32_t*>(source), out, table, partials);
    else launch(context, scaleKernel<float>, grid, static_cast<const float*>(source), out, table, partials);
    launch(context, sumKernel, {static_cast<unsigned>(table.count), kWarp}, table, partials, squares + first);
  });
}

}  // namespace vitrail::cuda
