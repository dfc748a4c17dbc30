#include "activation.h"

#include "gelu.h"
#include "philox.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

// Elements of one chunk, a multiple of the elements that one call of Philox gives.
constexpr size_t kChunk = 16384;

template <bool kBf16> VITRAIL_INLINE Floats loadAt(const Array& x, size_t at, size_t count) {
  if (count == kLanes) return kBf16 ? loadBf16(x.bf16() + at) : load(x.f32() + at);
  return kBf16 ? loadSomeBf16(x.bf16() + at, count) : loadSome(x.f32() + at, count);
}

template <bool kBf16> VITRAIL_INLINE void storeAt(const Array& y, size_t at, Floats v, size_t count) {
  if (count == kLanes) kBf16 ? storeBf16(y.bf16() + at, v) : store(y.f32() + at, v);
  else kBf16 ? storeSomeBf16(y.bf16() + at, v, count) : storeSome(y.f32() + at, v, count);
}

template <bool kErf> VITRAIL_INLINE GeluValue gelu(Floats x) { return kErf ? geluErf(x) : geluTanh(x); }

int chunksOf(size_t length) { return static_cast<int>((length + kChunk - 1) / kChunk); }

// Calls step(at, count) for each vector of a chunk.
template <typename Step> VITRAIL_INLINE void eachVector(int chunk, size_t length, const Step& step) {
  const size_t start = static_cast<size_t>(chunk) * kChunk;
  const size_t end = start + kChunk < length ? start + kChunk : length;
  size_t at = start;
  for (; at + kLanes <= end; at += kLanes) step(at, static_cast<size_t>(kLanes));
  if (at < end) step(at, end - at);
}

template <bool kErf, bool kIn, bool kOut>
void forward(const Context& context, Array x, Array y, const DropoutKey& dropout) {
  context.pool.run(chunksOf(x.length), [&](int chunk, int) {
    if (dropout.active()) {
      DropoutBits bits(dropout, static_cast<uint64_t>(chunk) * kChunk);
      eachVector(chunk, x.length, [&](size_t at, size_t count) {
        const Floats v = gelu<kErf>(loadAt<kIn>(x, at, count)).value;
        storeAt<kOut>(y, at, v * bits.next(static_cast<int>(count)), count);
      });
    } else {
      eachVector(chunk, x.length, [&](size_t at, size_t count) {
        storeAt<kOut>(y, at, gelu<kErf>(loadAt<kIn>(x, at, count)).value, count);
      });
    }
  });
}

template <bool kErf, bool kX, bool kDh>
void backward(const Context& context, Array x, Array dh, const DropoutKey& dropout, bool keepOutput) {
  context.pool.run(chunksOf(x.length), [&](int chunk, int) {
    DropoutBits bits(dropout, static_cast<uint64_t>(chunk) * kChunk);
    eachVector(chunk, x.length, [&](size_t at, size_t count) {
      const GeluValue g = gelu<kErf>(loadAt<kX>(x, at, count));
      const Floats mask = dropout.active() ? bits.next(static_cast<int>(count)) : splat(1);
      storeAt<kDh>(dh, at, loadAt<kDh>(dh, at, count) * mask * g.slope, count);
      if (keepOutput) storeAt<kX>(x, at, g.value * mask, count);
    });
  });
}

void geluForward(const Context& context, Array x, Array y, GeluForm form, const DropoutKey& dropout) {
  const int which = (form == GeluForm::erf ? 4 : 0) + (x.isBf16() ? 2 : 0) + (y.isBf16() ? 1 : 0);
  switch (which) {
    case 0: return forward<false, false, false>(context, x, y, dropout);
    case 1: return forward<false, false, true>(context, x, y, dropout);
    case 2: return forward<false, true, false>(context, x, y, dropout);
    case 3: return forward<false, true, true>(context, x, y, dropout);
    case 4: return forward<true, false, false>(context, x, y, dropout);
    case 5: return forward<true, false, true>(context, x, y, dropout);
    case 6: return forward<true, true, false>(context, x, y, dropout);
    default: return forward<true, true, true>(context, x, y, dropout);
  }
}

void geluBackward(const Context& context, Array x, Array dh, GeluForm form, const DropoutKey& dropout,
                  bool keepOutput) {
  const int which = (form == GeluForm::erf ? 4 : 0) + (x.isBf16() ? 2 : 0) + (dh.isBf16() ? 1 : 0);
  switch (which) {
    case 0: return backward<false, false, false>(context, x, dh, dropout, keepOutput);
    case 1: return backward<false, false, true>(context, x, dh, dropout, keepOutput);
    case 2: return backward<false, true, false>(context, x, dh, dropout, keepOutput);
    case 3: return backward<false, true, true>(context, x, dh, dropout, keepOutput);
    case 4: return backward<true, false, false>(context, x, dh, dropout, keepOutput);
    case 5: return backward<true, false, true>(context, x, dh, dropout, keepOutput);
    case 6: return backward<true, true, false>(context, x, dh, dropout, keepOutput);
    default: return backward<true, true, true>(context, x, dh, dropout, keepOutput);
  }
}

template <bool kIn, bool kOut> void masked(const Context& context, Array x, Array y, const DropoutKey& dropout) {
  context.pool.run(chunksOf(x.length), [&](int chunk, int) {
    DropoutBits bits(dropout, static_cast<uint64_t>(chunk) * kChunk);
    eachVector(chunk, x.length, [&](size_t at, size_t count) {
      // Multiplies rather than selects, so that NaN and infinities that are dropped become NaN, as with a mask
      // that is a tensor.
      storeAt<kOut>(y, at, loadAt<kIn>(x, at, count) * bits.next(static_cast<int>(count)), count);
    });
  });
}

void dropout(const Context& context, Array x, Array y, const DropoutKey& dropout) {
  if (x.isBf16())
    return y.isBf16() ? masked<true, true>(context, x, y, dropout) : masked<true, false>(context, x, y, dropout);
  return y.isBf16() ? masked<false, true>(context, x, y, dropout) : masked<false, false>(context, x, y, dropout);
}

}  // namespace

extern const ActivationKernels activationKernels;
const ActivationKernels activationKernels = {geluForward, geluBackward, dropout};

}  // namespace vitrail::VITRAIL_VARIANT
