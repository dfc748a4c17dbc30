#include "loss.h"

#include "math.h"
#include "rows.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

// Approximate number of logits in a chunk.
constexpr size_t kChunk = 4096;

// Partial sums in double precision, as many as a vector has lanes, so that the compiler vectorises the loop.
struct Sums {
  double lanes[kLanes] = {};

  VITRAIL_INLINE void add(Floats v) {
    for (int i = 0; i < kLanes; i++) lanes[i] += static_cast<double>(v[i]);
  }
  double total() const {
    double sum = 0;
    for (double lane : lanes) sum += lane;
    return sum;
  }
};

// The largest value, ignoring NaN; -infinity if there is no other value.
float largestOf(const float* row, size_t width) {
  Floats largest = splat(-__builtin_inff());
  eachVectorOfRow(width, [&](size_t at, size_t count) {
    const Floats v = loadUpTo(row + at, count);
    largest = maximum(count == kLanes ? v : select(firstLanes(count), v, largest), largest);
  });
  return maximumOfLanes(largest);
}

int32_t firstOf(const float* row, size_t width, float value) {
  for (size_t i = 0; i < width; i++) {
    if (row[i] == value) return static_cast<int32_t>(i);
  }
  return 0;
}

// Writes e^(z - largest) to `powers` and returns their sum.
double exponentials(const float* z, size_t width, float largest, float* powers) {
  Sums sums;
  eachVectorOfRow(width, [&](size_t at, size_t count) {
    const Floats power = exponential(loadUpTo(z + at, count) - largest);
    storeUpTo(powers + at, power, count);
    sums.add(count == kLanes ? power : select(firstLanes(count), power, splat(0)));
  });
  return sums.total();
}

// The sum of largest - z.
double distances(const float* z, size_t width, float largest) {
  Sums sums;
  eachVectorOfRow(width, [&](size_t at, size_t count) {
    const Floats distance = largest - loadUpTo(z + at, count);
    sums.add(count == kLanes ? distance : select(firstLanes(count), distance, splat(0)));
  });
  return sums.total();
}

void crossEntropy(const Context& context, const LossShape& shape, Array logits, const int32_t* labels, float* losses,
                  Array dLogits, int32_t* predictions) {
  const size_t classes = shape.classes, space = (classes + 31) / 16 * 16;
  const size_t rows = classes < kChunk ? kChunk / classes : 1;
  const double others = shape.smoothing / static_cast<double>(classes);
  const Scratch scratch(context.memory, static_cast<size_t>(context.pool.threads()) * 3 * space * sizeof(float));
  context.pool.run(static_cast<int>((shape.rows + rows - 1) / rows), [&](int chunk, int thread) {
    float* powers = scratch.as<float>() + static_cast<size_t>(thread) * 3 * space;
    const size_t start = static_cast<size_t>(chunk) * rows;
    for (size_t row = start; row < start + rows && row < shape.rows; row++) {
      const float* z = readRow(logits, row * classes, classes, powers + space);
      const float largest = largestOf(z, classes);
      if (predictions) predictions[row] = firstOf(z, classes, largest);
      const double sum = exponentials(z, classes, largest, powers);
      const size_t label = static_cast<size_t>(labels[row]);
      // log(sum) + the mean of (largest - z) under the targets. A term of weight 0 is left out, because 0 x
      // infinity is NaN.
      double loss = __builtin_log(sum);
      if (shape.smoothing < 1) loss += (1 - shape.smoothing) * (static_cast<double>(largest) - z[label]);
      if (shape.smoothing > 0) loss += others * distances(z, classes, largest);
      losses[row] = static_cast<float>(loss);
      if (!dLogits) continue;
      float* to = rowToWrite(dLogits, row * classes, powers + 2 * space);
      const float inverse = static_cast<float>(1 / sum);
      eachVectorOfRow(classes, [&](size_t at, size_t count) {
        storeUpTo(to + at, loadUpTo(powers + at, count) * inverse - static_cast<float>(others), count);
      });
      const double share = static_cast<double>(powers[label]) / sum;
      to[label] = static_cast<float>(share - (1 - shape.smoothing) - others);
      finishRow(dLogits, row * classes, classes, to);
    }
  });
}

}  // namespace

extern const LossKernels lossKernels;
const LossKernels lossKernels = {crossEntropy};

}  // namespace vitrail::VITRAIL_VARIANT
