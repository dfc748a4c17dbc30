#include "softmax.h"

#include "elements.h"
#include "functions.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

// Vectors that are summed in single precision before the sum is added to the total.
constexpr int64_t kFold = 64 * kLanes;

// Calls step(at, count) for each vector of [start, end).
template <typename Step> VITRAIL_INLINE void eachVector(int64_t start, int64_t end, const Step& step) {
  int64_t at = start;
  for (; at + kLanes <= end; at += kLanes) step(at, static_cast<size_t>(kLanes));
  if (at < end) step(at, static_cast<size_t>(end - at));
}

VITRAIL_INLINE Floats read(const float* from, size_t count) {
  return count == kLanes ? load(from) : loadSome(from, count);
}
VITRAIL_INLINE void write(float* to, Floats v, size_t count) {
  count == kLanes ? store(to, v) : storeSome(to, v, count);
}

// NaN gives NaN, because e^(x - maximum) is NaN then, whatever the maximum is.
float maximumOf(const float* x, int64_t width) {
  Floats most = splat(-__builtin_inff());
  eachVector(0, width, [&](int64_t at, size_t count) {
    if (count == kLanes) {
      most = maximum(load(x + at), most);
    } else {
      for (size_t i = 0; i < count; i++) most[0] = x[at + i] > most[0] ? x[at + i] : most[0];
    }
  });
  return maximumOfLanes(most);
}

// Sum of e^(x - most); the terms are written to `terms` unless that is null.
double exponentials(const float* x, int64_t width, float most, float* terms) {
  double total = 0;
  for (int64_t start = 0; start < width; start += kFold) {
    Floats sum{};
    eachVector(start, start + kFold < width ? start + kFold : width, [&](int64_t at, size_t count) {
      Floats term = exponential(read(x + at, count) - most);
      if (terms != nullptr) write(terms + at, term, count);
      // Lanes beyond the end are left out.
      for (size_t i = count; i < static_cast<size_t>(kLanes); i++) term[i] = 0;
      sum += term;
    });
    total += sumOfLanes(sum);
  }
  return total;
}

void softmax(const Context& context, Array x, Array y, int64_t rows, int64_t width, bool logarithm) {
  if (rows == 0 || width == 0) return;
  const int64_t atOnce = width < 16384 ? 16384 / width : 1;
  context.pool.run(static_cast<int>((rows + atOnce - 1) / atOnce), [&](int chunk, int) {
    const int64_t end = (chunk + 1) * atOnce < rows ? (chunk + 1) * atOnce : rows;
    for (int64_t r = chunk * atOnce; r < end; r++) {
      const float* from = x.f32() + r * width;
      float* to = y.f32() + r * width;
      const float most = maximumOf(from, width);
      const double sum = exponentials(from, width, most, logarithm ? nullptr : to);
      if (logarithm) {
        const Floats shift = splat(vitrail::VITRAIL_VARIANT::logarithm(splat(static_cast<float>(sum)))[0]);
        eachVector(0, width,
                   [&](int64_t at, size_t count) { write(to + at, (read(from + at, count) - most) - shift, count); });
      } else {
        const float scale = static_cast<float>(1 / sum);
        eachVector(0, width, [&](int64_t at, size_t count) { write(to + at, read(to + at, count) * scale, count); });
      }
    }
  });
}

}  // namespace

extern const SoftmaxKernels softmaxKernels;
const SoftmaxKernels softmaxKernels = {softmax};

}  // namespace vitrail::VITRAIL_VARIANT
