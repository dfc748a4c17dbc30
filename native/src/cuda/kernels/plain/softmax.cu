// Softmax of rows. A warp takes a row, and a block of eight warps takes a long one. x is read three times, the
// second and third time from the caches.
#include "../../../kernels/plain/softmax.h"

#include "../../launch.h"

namespace vitrail::cuda {

namespace {

constexpr int kWarps = 8;
// The longest row of a warp.
constexpr int64_t kWarpWidth = 2048;
// Blocks go on to further rows, because there can be more rows than blocks.
constexpr int64_t kMostBlocks = 1 << 20;

struct Larger {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};
struct Added {
  __device__ double operator()(double a, double b) const { return a + b; }
};

// Reduces over all threads of a row, in the same order for each: warps by halves, then their results one after
// the other.
template <bool kBlock, typename T, typename F> __device__ __forceinline__ T ofRow(T value, F merge) {
  for (int by = kWarp / 2; by > 0; by /= 2) value = merge(value, __shfl_xor_sync(0xffffffff, value, by));
  if constexpr (kBlock) {
    T* results = sharedMemory<T>();
    if (threadIdx.x % kWarp == 0) results[threadIdx.x / kWarp] = value;
    __syncthreads();
    value = results[0];
    for (int w = 1; w < kWarps; w++) value = merge(value, results[w]);
    __syncthreads();
  }
  return value;
}

template <bool kBlock> __global__ void __launch_bounds__(kWarps* kWarp)
    softmaxKernel(const float* x, float* y, int64_t rows, int64_t width, bool logarithm) {
  const int64_t atOnce = kBlock ? 1 : kWarps, threads = kBlock ? kWarps * kWarp : kWarp;
  const int64_t own = threadIdx.x % threads;
  for (int64_t row = blockIdx.x * atOnce + threadIdx.x / threads; row < rows; row += gridDim.x * atOnce) {
    const float* from = x + row * width;
    float* to = y + row * width;
    // NaN gives NaN, because e^(x - maximum) is NaN then, whatever the maximum is.
    float most = -INFINITY;
    for (int64_t i = own; i < width; i += threads) most = fmaxf(most, from[i]);
    most = ofRow<kBlock>(most, Larger{});
    double sum = 0;
    for (int64_t i = own; i < width; i += threads) sum += static_cast<double>(expf(from[i] - most));
    sum = ofRow<kBlock>(sum, Added{});
    if (logarithm) {
      const float shift = logf(static_cast<float>(sum));
      for (int64_t i = own; i < width; i += threads) to[i] = (from[i] - most) - shift;
    } else {
      const float scale = static_cast<float>(1 / sum);
      for (int64_t i = own; i < width; i += threads) to[i] = expf(from[i] - most) * scale;
    }
  }
}

void softmax(const Context& context, Array x, Array y, int64_t rows, int64_t width, bool logarithm) {
  if (rows == 0 || width == 0) return;
  const bool block = width > kWarpWidth;
  const int64_t blocks = block ? rows : (rows + kWarps - 1) / kWarps;
  const Grid grid = {static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks), kWarps * kWarp,
                     block ? kWarps * sizeof(double) : 0};
  launch(context, block ? softmaxKernel<true> : softmaxKernel<false>, grid, x.f32(), y.f32(), rows, width, logarithm);
}

}  // namespace

extern const SoftmaxKernels softmaxKernels;
const SoftmaxKernels softmaxKernels = {softmax};

}  // namespace vitrail::cuda
