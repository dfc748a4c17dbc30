#include "reduction.h"

#include "doubles.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

constexpr int32_t kInfinity = 0x7f800000;

// The largest finite magnitude over all threads, and whether a value was not finite. Neither depends on the
// order.
class Magnitudes {
 public:
  VITRAIL_INLINE void see(Bits bits) {
    const Bits magnitude = bits & INT32_MAX;
    const Bits finite = magnitude < kInfinity;
    const Bits counted = magnitude & finite;
    most_ = (counted & (counted > most_)) | (most_ & ~(counted > most_));
    infinite_ |= ~finite;
  }

  // Floats of the same sign have the order of their bits.
  void addTo(int32_t* most, int32_t* infinite) const {
    int32_t lanes[kDoubles], flags[kDoubles], mine = 0, flag = 0;
    memcpy(lanes, &most_, sizeof lanes);
    memcpy(flags, &infinite_, sizeof flags);
    for (size_t i = 0; i < kDoubles; i++) {
      mine = lanes[i] > mine ? lanes[i] : mine;
      flag |= flags[i];
    }
    if (flag != 0) __atomic_store_n(infinite, 1, __ATOMIC_RELAXED);
    int32_t seen = __atomic_load_n(most, __ATOMIC_RELAXED);
    while (mine > seen && !__atomic_compare_exchange_n(most, &seen, mine, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
  }

 private:
  Bits most_{};
  Bits infinite_{};
};

// Calls addVector(at, count, values) for all vectors of the gradient.
template <typename AddVector>
VITRAIL_INLINE Added addAll(const Context& context, const float* gradient, size_t length, const AddVector& addVector) {
  int32_t most = 0, infinite = 0;
  context.pool.run(chunksOf(length), [&](int chunk, int) {
    Magnitudes magnitudes;
    eachDoubles(chunk, length, [&](size_t at, size_t count) {
      const Singles values = take<Singles>(gradient + at, count);
      magnitudes.see((Bits)values);
      addVector(at, count, values);
    });
    magnitudes.addTo(&most, &infinite);
  });
  Added added;
  memcpy(&added.maximum, &most, sizeof most);
  added.nonFinite = infinite != 0;
  return added;
}

Added quantiseAdd(const Context& context, const float* gradient, int32_t* sums, size_t length, const Quantisation& by) {
  const double scale = by.scale, limit = by.limit, microBatches = by.microBatches;
  return addAll(context, gradient, length, [=](size_t at, size_t count, Singles values) {
    const Doubles x = __builtin_convertvector(values, Doubles) * scale;
    const Longs fits = absolute(x) * microBatches <= limit;
    const Wrapping whole = (Wrapping)nearestWhole((Doubles)((Longs)x & fits));
    put(sums + at, take<Wrapping>(sums + at, count) + whole, count);
  });
}

Added floatAdd(const Context& context, const float* gradient, float* sums, size_t length) {
  return addAll(context, gradient, length, [=](size_t at, size_t count, Singles values) {
    const Singles before = take<Singles>(sums + at, count);
    const Bits finite = ((Bits)values & INT32_MAX) < kInfinity;
    // Not `before + 0`, which would turn a negative zero into a positive one.
    const Bits after = ((Bits)(before + values) & finite) | ((Bits)before & ~finite);
    put(sums + at, after, count);
  });
}

typedef double FourDoubles __attribute__((vector_size(32)));
typedef float FourFloats __attribute__((vector_size(16)));
typedef int32_t FourInts __attribute__((vector_size(16)));

// The lanes are a, b, c and d of scaleSlot() in TypeScript. Its remaining elements go to a.
template <typename Vector, typename Element>
double scaleTensor(const Element* source, float* out, const ScaledTensor& tensor) {
  const size_t end = tensor.offset + tensor.length;
  FourDoubles squares{};
  size_t at = tensor.offset;
  for (; at + 4 <= end; at += 4) {
    Vector values;
    memcpy(&values, source + at, sizeof values);
    const FourFloats scaled =
        __builtin_convertvector(__builtin_convertvector(values, FourDoubles) * tensor.scale, FourFloats);
    memcpy(out + at, &scaled, sizeof scaled);
    const FourDoubles stored = __builtin_convertvector(scaled, FourDoubles);
    squares += stored * stored;
  }
  for (; at < end; at++) {
    Element value;
    memcpy(&value, source + at, sizeof value);
    const float scaled = static_cast<float>(value * tensor.scale);
    out[at] = scaled;
    squares[0] += static_cast<double>(scaled) * scaled;
  }
  return squares[0] + squares[1] + (squares[2] + squares[3]);
}

void scaleGradient(const Context& context, const void* source, bool integers, float* out, const ScaledTensor* tensors,
                   int count, double* squares) {
  context.pool.run(count, [&](int tensor, int) {
    const ScaledTensor& by = tensors[tensor];
    squares[tensor] = integers ? scaleTensor<FourInts>(static_cast<const int32_t*>(source), out, by)
                               : scaleTensor<FourFloats>(static_cast<const float*>(source), out, by);
  });
}

}  // namespace

extern const ReductionKernels reductionKernels;
const ReductionKernels reductionKernels = {quantiseAdd, floatAdd, scaleGradient};

}  // namespace vitrail::VITRAIL_VARIANT
