#include "norm.h"

#include "rows.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

// Rows of a chunk in the forward pass.
constexpr size_t kRows = 16;
// Partial sums of dScale and dShift, one for each block of rows. Their number depends only on the number of
// rows.
constexpr size_t kMostBlocks = 64;
constexpr size_t kFewestRowsOfBlock = 16;

int chunksOf(size_t rows) { return static_cast<int>((rows + kRows - 1) / kRows); }

// The scratch memory of each thread begins on a cache line of its own.
size_t spaceOf(size_t width) { return (width + 31) / 16 * 16; }

void normalise(const float* x, float* y, size_t width, const float* scale, const float* shift, float mean, float rstd) {
  eachVectorOfRow(width, [&](size_t at, size_t count) {
    const Floats centred = (loadUpTo(x + at, count) - mean) * rstd;
    storeUpTo(y + at, centred * loadUpTo(scale + at, count) + loadUpTo(shift + at, count), count);
  });
}

// Calls row(index, x, y) for every row. Values that it writes to y are stored in the array.
template <typename Row>
void eachRow(const Context& context, const NormShape& shape, const Array& x, const Array& y, const Row& row) {
  const size_t space = spaceOf(shape.width);
  const Scratch scratch(context.memory, static_cast<size_t>(context.pool.threads()) * 2 * space * sizeof(float));
  context.pool.run(chunksOf(shape.rows), [&](int chunk, int thread) {
    float* spaces = scratch.as<float>() + static_cast<size_t>(thread) * 2 * space;
    const size_t start = static_cast<size_t>(chunk) * kRows;
    const size_t end = start + kRows < shape.rows ? start + kRows : shape.rows;
    for (size_t i = start; i < end; i++) {
      const float* from = readRow(x, i * shape.stride, shape.width, spaces);
      float* to = rowToWrite(y, i * shape.width, spaces + space);
      row(i, from, to);
      finishRow(y, i * shape.width, shape.width, to);
    }
  });
}

void forward(const Context& context, const NormShape& shape, Array x, Array y, const float* scale, const float* shift,
             float epsilon, float* mean, float* rstd) {
  const size_t width = shape.width;
  const float count = static_cast<float>(width);
  eachRow(context, shape, x, y, [&](size_t row, const float* from, float* to) {
    const float middle = sumOverRow(width, [&](size_t at, size_t n) { return loadUpTo(from + at, n); }) / count;
    // Sums squares around the mean. Otherwise a variance far below the squared mean would be lost.
    const float squares = sumOverRow(width, [&](size_t at, size_t n) {
      const Floats centred = loadUpTo(from + at, n) - middle;
      return centred * centred;
    });
    const float inverse = 1.0f / __builtin_sqrtf(squares / count + epsilon);
    mean[row] = middle, rstd[row] = inverse;
    normalise(from, to, width, scale, shift, middle, inverse);
  });
}

void recompute(const Context& context, const NormShape& shape, Array x, Array y, const float* scale, const float* shift,
               const float* mean, const float* rstd) {
  eachRow(context, shape, x, y, [&](size_t row, const float* from, float* to) {
    normalise(from, to, shape.width, scale, shift, mean[row], rstd[row]);
  });
}

struct RowGradient {
  const float *x, *dy, *scale, *residual;
  float *dx, *dScale, *dShift;
  float mean, rstd;
};

// With g = dy scale and n the normalised row: dx = residual + rstd (g - mean(g) - n mean(g n)).
void rowBackward(const RowGradient& r, size_t width) {
  Floats sum{}, sumOfProducts{};
  eachVectorOfRow(width, [&](size_t at, size_t count) {
    const Ints inside = firstLanes(count);
    const Floats n = (loadUpTo(r.x + at, count) - r.mean) * r.rstd;
    const Floats dy = loadUpTo(r.dy + at, count);
    const Floats g = dy * loadUpTo(r.scale + at, count);
    sum += count == kLanes ? g : select(inside, g, splat(0));
    sumOfProducts += count == kLanes ? g * n : select(inside, g * n, splat(0));
    storeUpTo(r.dScale + at, loadUpTo(r.dScale + at, count) + dy * n, count);
    storeUpTo(r.dShift + at, loadUpTo(r.dShift + at, count) + dy, count);
  });
  const float meanOfG = sumOfLanes(sum) / static_cast<float>(width);
  const float meanOfProducts = sumOfLanes(sumOfProducts) / static_cast<float>(width);
  eachVectorOfRow(width, [&](size_t at, size_t count) {
    const Floats n = (loadUpTo(r.x + at, count) - r.mean) * r.rstd;
    const Floats g = loadUpTo(r.dy + at, count) * loadUpTo(r.scale + at, count);
    const Floats dx = (g - meanOfG - n * meanOfProducts) * r.rstd;
    storeUpTo(r.dx + at, r.residual ? loadUpTo(r.residual + at, count) + dx : dx, count);
  });
}

// Adds up `count` rows of `width` floats, `stride` apart, in their order.
void sumRows(const float* rows, size_t count, size_t stride, size_t width, float* to) {
  eachVectorOfRow(width, [&](size_t at, size_t lanes) {
    Floats sum{};
    for (size_t i = 0; i < count; i++) sum += loadUpTo(rows + i * stride + at, lanes);
    storeUpTo(to + at, sum, lanes);
  });
}

void backward(const Context& context, const NormShape& shape, Array x, Array dy, const float* scale, const float* mean,
              const float* rstd, Array residual, Array dx, float* dScale, float* dShift) {
  const size_t width = shape.width, space = spaceOf(width);
  const size_t most = (shape.rows + kFewestRowsOfBlock - 1) / kFewestRowsOfBlock;
  const size_t blocks = most < kMostBlocks ? most : kMostBlocks;
  const size_t spaces = blocks * 2 + static_cast<size_t>(context.pool.threads()) * 4;
  const Scratch scratch(context.memory, spaces * space * sizeof(float));
  float* partial = scratch.as<float>();
  context.pool.run(static_cast<int>(blocks), [&](int chunk, int thread) {
    const size_t block = static_cast<size_t>(chunk);
    float* own = partial + (blocks * 2 + static_cast<size_t>(thread) * 4) * space;
    RowGradient r;
    r.scale = scale;
    r.dScale = partial + block * 2 * space, r.dShift = r.dScale + space;
    for (size_t i = 0; i < 2 * space; i++) r.dScale[i] = 0;
    for (size_t row = block * shape.rows / blocks; row < (block + 1) * shape.rows / blocks; row++) {
      r.x = readRow(x, row * shape.stride, width, own);
      r.dy = readRow(dy, row * width, width, own + space);
      r.residual = residual ? readRow(residual, row * shape.stride, width, own + 2 * space) : nullptr;
      r.dx = rowToWrite(dx, row * shape.stride, own + 3 * space);
      r.mean = mean[row], r.rstd = rstd[row];
      rowBackward(r, width);
      finishRow(dx, row * shape.stride, width, r.dx);
    }
  });
  sumRows(partial, blocks, 2 * space, width, dScale);
  sumRows(partial + space, blocks, 2 * space, width, dShift);
}

}  // namespace

extern const NormKernels normKernels;
const NormKernels normKernels = {forward, recompute, backward};

}  // namespace vitrail::VITRAIL_VARIANT
