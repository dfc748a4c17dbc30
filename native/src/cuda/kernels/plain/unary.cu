// Functions of one array.
#include "../../../kernels/plain/unary.h"

#include "map.h"

namespace vitrail::cuda {

namespace {

// clang-format off: a table, a line each
struct Neg { __device__ float operator()(float v) const { return -v; } };
struct Abs { __device__ float operator()(float v) const { return fabsf(v); } };
struct Exp { __device__ float operator()(float v) const { return expf(v); } };
struct Log { __device__ float operator()(float v) const { return logf(v); } };
struct Sqrt { __device__ float operator()(float v) const { return sqrtf(v); } };
// Not rsqrtf, whose error is 2 units in the last place.
struct Rsqrt { __device__ float operator()(float v) const { return 1.0f / sqrtf(v); } };
struct Square { __device__ float operator()(float v) const { return v * v; } };
struct Reciprocal { __device__ float operator()(float v) const { return 1.0f / v; } };
struct Tanh { __device__ float operator()(float v) const { return tanhf(v); } };
struct Sigmoid { __device__ float operator()(float v) const { return 1.0f / (1.0f + expf(-v)); } };
struct Erf { __device__ float operator()(float v) const { return erff(v); } };
struct Relu { __device__ float operator()(float v) const { return v < 0.0f ? 0.0f : v; } };
struct Step { __device__ float operator()(float v) const { return v != v ? v : v > 0.0f ? 1.0f : 0.0f; } };
// For NaN it is 0, as in tfjs.
struct Sign { __device__ float operator()(float v) const { return v > 0.0f ? 1.0f : v < 0.0f ? -1.0f : 0.0f; } };
struct IsNan { __device__ uint8_t operator()(float v) const { return v != v; } };
struct Floor { __device__ float operator()(float v) const { return floorf(v); } };
struct Ceil { __device__ float operator()(float v) const { return ceilf(v); } };
// Halves to even.
struct Round { __device__ float operator()(float v) const { return rintf(v); } };

// Unsigned, because a signed overflow is undefined.
struct WholeNeg { __device__ uint32_t operator()(uint32_t v) const { return 0 - v; } };
struct WholeAbs { __device__ uint32_t operator()(uint32_t v) const { return v >> 31 != 0 ? 0 - v : v; } };
struct WholeSquare { __device__ uint32_t operator()(uint32_t v) const { return v * v; } };
struct WholeSign { __device__ uint32_t operator()(uint32_t v) const { return v >> 31 != 0 ? ~0u : v != 0; } };
// clang-format on

template <typename F> void mapFloats(const Context& c, F function, Array x, Array y) {
  map(c, function, y.f32(), x.length, static_cast<const float*>(x.f32()));
}
template <typename F> bool mapWhole(const Context& c, F function, Array x, Array y) {
  map(c, function, y.as<uint32_t>(), x.length, static_cast<const uint32_t*>(x.as<uint32_t>()));
  return true;
}

void floats(const Context& c, UnaryOp op, Array x, Array y) {
  switch (op) {
    case UnaryOp::neg: return mapFloats(c, Neg{}, x, y);
    case UnaryOp::abs: return mapFloats(c, Abs{}, x, y);
    case UnaryOp::exp: return mapFloats(c, Exp{}, x, y);
    case UnaryOp::log: return mapFloats(c, Log{}, x, y);
    case UnaryOp::sqrt: return mapFloats(c, Sqrt{}, x, y);
    case UnaryOp::rsqrt: return mapFloats(c, Rsqrt{}, x, y);
    case UnaryOp::square: return mapFloats(c, Square{}, x, y);
    case UnaryOp::reciprocal: return mapFloats(c, Reciprocal{}, x, y);
    case UnaryOp::tanh: return mapFloats(c, Tanh{}, x, y);
    case UnaryOp::sigmoid: return mapFloats(c, Sigmoid{}, x, y);
    case UnaryOp::erf: return mapFloats(c, Erf{}, x, y);
    case UnaryOp::relu: return mapFloats(c, Relu{}, x, y);
    case UnaryOp::step: return mapFloats(c, Step{}, x, y);
    case UnaryOp::sign: return mapFloats(c, Sign{}, x, y);
    case UnaryOp::isNaN: return map(c, IsNan{}, y.as<uint8_t>(), x.length, static_cast<const float*>(x.f32()));
    case UnaryOp::floor: return mapFloats(c, Floor{}, x, y);
    case UnaryOp::ceil: return mapFloats(c, Ceil{}, x, y);
    case UnaryOp::round: return mapFloats(c, Round{}, x, y);
  }
}

bool whole(const Context& c, UnaryOp op, Array x, Array y) {
  switch (op) {
    case UnaryOp::neg: return mapWhole(c, WholeNeg{}, x, y);
    case UnaryOp::abs: return mapWhole(c, WholeAbs{}, x, y);
    case UnaryOp::square: return mapWhole(c, WholeSquare{}, x, y);
    case UnaryOp::sign: return mapWhole(c, WholeSign{}, x, y);
    default: return false;
  }
}

}  // namespace

extern const UnaryKernels unaryKernels;
const UnaryKernels unaryKernels = {floats, whole};

}  // namespace vitrail::cuda
