#include "unary.h"

#include "elements.h"
#include "functions.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

template <typename F> void mapFloats(const Context& context, Array x, Array y, const F& function) {
  eachChunk(context, x.length, [&](size_t start, size_t end) {
    const float* from = x.f32();
    float* to = y.f32();
    size_t at = start;
    for (; at + kLanes <= end; at += kLanes) store(to + at, function(load(from + at)));
    if (at < end) storeSome(to + at, function(loadSome(from + at, end - at)), end - at);
  });
}

template <typename F> void mapWhole(const Context& context, Array x, Array y, const F& function) {
  eachChunk(context, x.length, [&](size_t start, size_t end) {
    const uint32_t* from = x.as<uint32_t>();
    uint32_t* to = y.as<uint32_t>();
    for (size_t at = start; at < end; at++) to[at] = function(from[at]);
  });
}

void isNan(const Context& context, Array x, Array y) {
  eachChunk(context, x.length, [&](size_t start, size_t end) {
    const float* from = x.f32();
    uint8_t* to = y.as<uint8_t>();
    for (size_t at = start; at < end; at++) to[at] = from[at] != from[at];
  });
}

void floats(const Context& c, UnaryOp op, Array x, Array y) {
  switch (op) {
    case UnaryOp::neg: return mapFloats(c, x, y, [](Floats v) { return -v; });
    case UnaryOp::abs: return mapFloats(c, x, y, [](Floats v) { return magnitude(v); });
    case UnaryOp::exp: return mapFloats(c, x, y, [](Floats v) { return exponential(v); });
    case UnaryOp::log: return mapFloats(c, x, y, [](Floats v) { return logarithm(v); });
    case UnaryOp::sqrt: return mapFloats(c, x, y, [](Floats v) { return squareRoot(v); });
    case UnaryOp::rsqrt: return mapFloats(c, x, y, [](Floats v) { return 1.0f / squareRoot(v); });
    case UnaryOp::square: return mapFloats(c, x, y, [](Floats v) { return v * v; });
    case UnaryOp::reciprocal: return mapFloats(c, x, y, [](Floats v) { return 1.0f / v; });
    case UnaryOp::tanh: return mapFloats(c, x, y, [](Floats v) { return tangens(v); });
    case UnaryOp::sigmoid: return mapFloats(c, x, y, [](Floats v) { return logistic(v); });
    case UnaryOp::erf: return mapFloats(c, x, y, [](Floats v) { return errorFunction(v); });
    case UnaryOp::relu: return mapFloats(c, x, y, [](Floats v) { return select(v < 0.0f, splat(0), v); });
    case UnaryOp::step:
      return mapFloats(c, x, y, [](Floats v) { return select(v == v, select(v > 0.0f, splat(1), splat(0)), v); });
    // For NaN it is 0, as in tfjs.
    case UnaryOp::sign:
      return mapFloats(c, x, y,
                       [](Floats v) { return select(v > 0.0f, splat(1), select(v < 0.0f, splat(-1), splat(0))); });
    case UnaryOp::isNaN: return isNan(c, x, y);
    case UnaryOp::floor: return mapFloats(c, x, y, [](Floats v) { return floorOf(v); });
    case UnaryOp::ceil: return mapFloats(c, x, y, [](Floats v) { return ceilingOf(v); });
    case UnaryOp::round: return mapFloats(c, x, y, [](Floats v) { return nearest(v); });
  }
}

bool whole(const Context& c, UnaryOp op, Array x, Array y) {
  switch (op) {
    case UnaryOp::neg: mapWhole(c, x, y, [](uint32_t v) { return 0 - v; }); return true;
    case UnaryOp::abs: mapWhole(c, x, y, [](uint32_t v) { return v >> 31 ? 0 - v : v; }); return true;
    case UnaryOp::square: mapWhole(c, x, y, [](uint32_t v) { return v * v; }); return true;
    case UnaryOp::sign: mapWhole(c, x, y, [](uint32_t v) { return v >> 31 ? ~0u : v != 0; }); return true;
    default: return false;
  }
}

}  // namespace

extern const UnaryKernels unaryKernels;
const UnaryKernels unaryKernels = {floats, whole};

}  // namespace vitrail::VITRAIL_VARIANT
