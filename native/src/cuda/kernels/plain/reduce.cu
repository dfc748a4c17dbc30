// Reductions over the middle of [outer, length, inner]. Neighbouring threads of a block take columns of
// `inner`, the other dimension of threads shares the rows, and a tree in shared memory merges the results.
#include "../../../kernels/plain/reduce.h"

#include "reduction.h"

namespace vitrail::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int64_t kRowsOfThread = 4;
// If there would be fewer blocks than the first number, rows are cut into pieces until there are about as many
// as the second. A GPU runs a few hundred blocks at the same time.
constexpr int64_t kEnoughBlocks = 512, kWantedBlocks = 1024;

int64_t ceilingOf(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// The smallest power of two that is not below `atLeast`, but at most `atMost`.
int powerOfTwo(int64_t atLeast, int atMost) {
  int power = 1;
  while (power < atMost && power < atLeast) power *= 2;
  return power;
}

// Which thread reduces what. It depends only on the sizes, and so do the bits.
struct Plan {
  int64_t outer, length, inner;
  // A block: columns x reducers x groups threads, the groups at neighbours of `outer`.
  int columns, reducers, groups;
  int64_t tiles;
  int64_t pieces, pieceRows;

  int64_t blocks() const { return ceilingOf(outer, groups) * pieces * tiles; }
};

Plan planOf(int64_t outer, int64_t length, int64_t inner, bool inPieces) {
  Plan p;
  p.outer = outer, p.length = length, p.inner = inner;
  p.reducers = powerOfTwo(ceilingOf(length, kRowsOfThread), kThreads / powerOfTwo(inner, kWarp));
  p.columns = powerOfTwo(inner, kThreads / p.reducers);
  p.groups = kThreads / (p.columns * p.reducers);
  p.tiles = ceilingOf(inner, p.columns);
  p.pieces = 1;
  p.pieceRows = length;
  const int64_t blocks = p.blocks();
  if (!inPieces || blocks == 0 || blocks >= kEnoughBlocks) return p;
  const int64_t most = ceilingOf(length, p.reducers * 2 * kRowsOfThread);
  p.pieceRows = ceilingOf(length, larger(1, smaller(most, ceilingOf(kWantedBlocks, blocks))));
  p.pieces = larger(1, ceilingOf(length, larger(1, p.pieceRows)));
  return p;
}

// x [outer, length, inner] -> y [outer, pieces, inner]
template <typename P, typename From, typename To> __global__ void __launch_bounds__(kThreads)
    reduceKernel(const From* x, To* y, Plan p, double scale) {
  using Total = typename P::Total;
  Total* totals = sharedMemory<Total>();
  const int thread = static_cast<int>(threadIdx.x);
  const int reducer = thread / p.columns % p.reducers;
  const int64_t tile = blockIdx.x % p.tiles, piece = blockIdx.x / p.tiles % p.pieces;
  const int64_t outer = blockIdx.x / p.tiles / p.pieces * p.groups + thread / (p.columns * p.reducers);
  const int64_t column = tile * p.columns + thread % p.columns;
  const bool within = outer < p.outer && column < p.inner;
  Total total = P::nothing();
  if (within) {
    const int64_t first = piece * p.pieceRows, end = min(first + p.pieceRows, p.length);
    const From* from = x + outer * p.length * p.inner + column;
#pragma unroll 4
    for (int64_t row = first + reducer; row < end; row += p.reducers) {
      total = P::merge(total, P::take(from[row * p.inner], row));
    }
  }
  totals[thread] = total;
  __syncthreads();
  for (int half = p.reducers / 2; half > 0; half /= 2) {
    if (reducer < half) totals[thread] = P::merge(totals[thread], totals[thread + half * p.columns]);
    __syncthreads();
  }
  if (within && reducer == 0) P::put(totals[thread], scale, y + (outer * p.pieces + piece) * p.inner + column);
}

template <typename P, typename From, typename To>
void run(const Context& context, const From* x, To* y, const Plan& plan, double scale) {
  const Grid grid = {static_cast<unsigned>(plan.blocks()), kThreads, kThreads * sizeof(typename P::Total)};
  launch(context, reduceKernel<P, From, To>, grid, x, y, plan, scale);
}

// `scale` multiplies the totals of a mean; it is 1 for all else.
template <typename P> void reduceBy(const Context& context, const ReduceTask& t, double scale = 1) {
  using Total = typename P::Total;
  const auto* x = t.x.as<const typename P::Value>();
  auto* y = t.y.as<typename P::Result>();
  const Plan plan = planOf(t.outer, t.length, t.inner, true);
  if (plan.pieces == 1) return run<P>(context, x, y, plan, scale);
  const Scratch scratch(context.memory, static_cast<size_t>(t.outer * plan.pieces * t.inner) * sizeof(Total));
  Total* partials = scratch.as<Total>();
  run<P>(context, x, partials, plan, 1);
  run<P>(context, static_cast<const Total*>(partials), y, planOf(t.outer, plan.pieces, t.inner, false), scale);
}

void floats(const Context& c, ReduceOp op, const ReduceTask& t) {
  switch (op) {
    case ReduceOp::sum: return reduceBy<FloatSum>(c, t);
    // The mean of no values is NaN: 0 x infinity.
    case ReduceOp::mean: return reduceBy<FloatSum>(c, t, t.length > 0 ? 1.0 / static_cast<double>(t.length) : INFINITY);
    case ReduceOp::max: return reduceBy<Maximum<float>>(c, t);
    case ReduceOp::min: return reduceBy<Minimum<float>>(c, t);
    case ReduceOp::prod: return reduceBy<FloatProduct>(c, t);
    case ReduceOp::argMax: return reduceBy<Argument<float, true>>(c, t);
    default: return reduceBy<Argument<float, false>>(c, t);
  }
}

void reduce(const Context& c, ReduceOp op, const ReduceTask& t) {
  if (t.outer == 0 || t.inner == 0) return;
  if (op == ReduceOp::all) return reduceBy<All>(c, t);
  if (op == ReduceOp::any) return reduceBy<Any>(c, t);
  if (t.x.storage == Storage::f32) return floats(c, op, t);
  switch (op) {
    case ReduceOp::sum: return reduceBy<WholeSum>(c, t);
    case ReduceOp::max: return reduceBy<Maximum<int32_t>>(c, t);
    case ReduceOp::min: return reduceBy<Minimum<int32_t>>(c, t);
    case ReduceOp::prod: return reduceBy<WholeProduct>(c, t);
    case ReduceOp::argMax: return reduceBy<Argument<int32_t, true>>(c, t);
    default: return reduceBy<Argument<int32_t, false>>(c, t);
  }
}

}  // namespace

extern const ReduceKernels reduceKernels;
const ReduceKernels reduceKernels = {reduce};

}  // namespace vitrail::cuda
