#include "passes.h"

#include "finish.h"

namespace vitrail::cuda {

namespace {

constexpr int kRun = 8;
constexpr unsigned kThreads = 256;

// The neighbours of a thread, in matrices whose rows have `runsAcross` runs.
struct Position {
  int64_t matrix, row, column;
  int valid;
};

struct Shape {
  int64_t rows, columns, batch;
  int64_t runsAcross, runs;
};

Shape shapeOf(int64_t rows, int64_t columns, int64_t batch) {
  const int64_t runsAcross = (columns + kRun - 1) / kRun;
  return {rows, columns, batch, runsAcross, runsAcross * rows * batch};
}

Grid gridOf(const Shape& shape) { return {blocksFor(static_cast<size_t>(shape.runs), kThreads), kThreads}; }

__device__ __forceinline__ Position positionOf(const Shape& shape, int64_t run) {
  // A division of 64 bits costs as much as the rest of the thread's work, and most shapes do not need it.
  int64_t line, across;
  if (shape.runs <= 0xffffffff) {
    const uint32_t narrowRun = static_cast<uint32_t>(run), narrowAcross = static_cast<uint32_t>(shape.runsAcross);
    line = narrowRun / narrowAcross;
    across = narrowRun % narrowAcross;
  } else {
    line = run / shape.runsAcross;
    across = run % shape.runsAcross;
  }
  const int64_t matrix = shape.batch == 1 ? 0 : line / shape.rows, column = across * kRun;
  return {matrix, line - matrix * shape.rows, column, static_cast<int>(min(shape.columns - column, int64_t{kRun}))};
}

struct Source {
  Run run;
  int64_t lead, stride;

  __device__ __forceinline__ size_t at(const Position& p) const {
    return static_cast<size_t>(p.matrix * stride + p.row * lead + p.column);
  }
};

Source sourceOf(const Matrices& m) { return {runOf(m.array, m.lead, m.stride), m.lead, m.stride}; }

__global__ void convertKernel(Source from, Source to, Shape shape) {
  const int64_t run = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (run >= shape.runs) return;
  const Position p = positionOf(shape, run);
  float v[kRun];
  loadRun(from.run, from.at(p), p.valid, v);
  storeRun(to.run, to.at(p), p.valid, v);
}

__global__ void finishKernel(Source sums, Source c, Finish finish, Shape shape) {
  const int64_t run = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (run >= shape.runs) return;
  const Position p = positionOf(shape, run);
  float v[kRun];
  loadRun(sums.run, sums.at(p), p.valid, v);
  finishRun(finish, c.at(p), p.row, p.column, p.valid, v);
}

}  // namespace

void convert(const Context& context, const Matrices& from, const Matrices& to) {
  const Shape shape = shapeOf(from.rows, from.columns, from.batch);
  launch(context, convertKernel, gridOf(shape), sourceOf(from), sourceOf(to), shape);
}

void finishGemm(const Context& context, const Matrices& sums, const GemmTask& rest) {
  const Shape shape = shapeOf(rest.m, rest.n, rest.batch);
  const Source c = sourceOf({rest.c, rest.m, rest.n, rest.ldc, rest.batch, rest.strideC});
  launch(context, finishKernel, gridOf(shape), sourceOf(sums), c, finishOf(rest), shape);
}

}  // namespace vitrail::cuda
