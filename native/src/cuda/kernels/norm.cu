// Layer normalisation: chooses kernels and the number of blocks. Rows that fit into registers have kernels for
// their number of spans. All others (odd widths, wide rows, different storages) use kernels that read memory
// element by element in each pass.
#include "../../kernels/norm.h"

#include <type_traits>

#include "norm-backward.h"
#include "norm-forward.h"

namespace vitrail::cuda {

namespace {

// Blocks in the backward pass: enough to fill the largest GPU, but so few that adding up their sums costs
// almost nothing.
constexpr size_t kFewestRowsOfBlock = 16, kMostBlocks = 1024;

// Calls body with the number of spans of a row, as a type, if registers can hold that many; otherwise returns
// false.
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

template <bool kBf16> bool forwardInRegisters(const Context& context, const NormShape& shape, const Array& x,
                                              const Array& y, const float* scale, const float* shift,
                                              const Statistics& statistics) {
  return withSpans<kBf16>(shape, [&](auto spans) {
    const Grid grid = {blocksFor(shape.rows, kNormWarps), kNormThreads};
    launch(context, normForwardKernel<decltype(spans)::value, kBf16>, grid, shape, Elements<kBf16>{x.data},
           Elements<kBf16>{y.data}, scale, shift, statistics);
  });
}

void normalise(const Context& context, const NormShape& shape, const Array& x, const Array& y, const float* scale,
               const float* shift, const Statistics& statistics) {
  const auto inRegisters = x.isBf16() ? forwardInRegisters<true> : forwardInRegisters<false>;
  if (x.storage == y.storage && inRegisters(context, shape, x, y, scale, shift, statistics)) return;
  launch(context, normForwardAnyKernel, Grid{blocksFor(shape.rows, kNormWarps), kNormThreads}, shape, runOf(x),
         runOf(y), scale, shift, statistics);
}

void forward(const Context& context, const NormShape& shape, Array x, Array y, const float* scale, const float* shift,
             float epsilon, float* mean, float* rstd) {
  normalise(context, shape, x, y, scale, shift, {mean, rstd, false, epsilon});
}

void recompute(const Context& context, const NormShape& shape, Array x, Array y, const float* scale, const float* shift,
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

template <bool kBf16> bool backwardInRegisters(const Context& context, const NormShape& shape, const Grid& grid,
                                               const BackwardArrays& a, float* partial) {
  return withSpans<kBf16>(shape, [&](auto spans) {
    launch(context, normBackwardKernel<decltype(spans)::value, kBf16>, grid, shape, Elements<kBf16>{a.x.data},
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
  const Grid grid = {static_cast<unsigned>(blocks), kNormThreads};
  const auto inRegisters = x.isBf16() ? backwardInRegisters<true> : backwardInRegisters<false>;
  const bool inGroups = arrays.alike() && inRegisters(context, shape, grid, arrays, partial);
  if (!inGroups) {
    launch(context, normBackwardAnyKernel, grid, shape, runOf(x), runOf(dy), scale, mean, rstd, runOf(residual),
           runOf(dx), partial, space);
  }
  launch(context, normSumKernel, Grid{blocksFor(2 * space, kWarp), dim3(kWarp, kWarp)}, partial, blocks, space,
         shape.width, inGroups, dScale, dShift);
}

}  // namespace

extern const NormKernels normKernels;
const NormKernels normKernels = {forward, recompute, backward};

}  // namespace vitrail::cuda
