#include "../kernels/plain/binary.h"
#include "../kernels/plain/unary.h"
#include "groups.h"
#include "strides.h"

namespace vitrail {

namespace {

// In the order of UnaryOp.
constexpr const char* kUnary[] = {"neg",     "abs", "exp",  "log",  "sqrt", "rsqrt", "square", "reciprocal", "tanh",
                                  "sigmoid", "erf", "relu", "step", "sign", "isNaN", "floor",  "ceil",       "round"};
// In the order of BinaryOp.
constexpr const char* kBinary[] = {
    "add",      "sub",  "mul",       "div",     "maximum",      "minimum", "pow", "squaredDifference", "equal",
    "notEqual", "less", "lessEqual", "greater", "greaterEqual", "and",     "or",  "floorDiv",          "mod"};

Napi::Value unary(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"op", "x", "y", "length"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const auto op = static_cast<UnaryOp>(arguments.choice("op", kUnary, sizeof kUnary / sizeof *kUnary));
    const int64_t length = arguments.integer("length", 0, kMostElements);
    Array x = arguments.buffer("x", length);
    Array y = arguments.buffer("y", length, op == UnaryOp::isNaN ? Storage::u8 : x.storage);
    x.length = y.length = static_cast<size_t>(length);
    Instance& instance = arguments.instance();
    const UnaryKernels& kernels = unaryKernels(instance.level);
    if (x.storage == Storage::f32) kernels.floats(instance.context(), op, x, y);
    else if (x.storage != Storage::i32 || !kernels.whole(instance.context(), op, x, y)) {
      arguments.refuse("x", "stored in another type than this op takes");
    }
    return arguments.env().Undefined();
  });
}

Napi::Value binary(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"op", "a", "b", "y", "shape", "stridesA", "stridesB"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const auto op = static_cast<BinaryOp>(arguments.choice("op", kBinary, sizeof kBinary / sizeof *kBinary));
    BinaryTask task;
    task.dimensions = arguments.integers("shape", task.shape, kMostDimensions, 0, kMostElements);
    const int stridesA = arguments.integers("stridesA", task.stridesA, kMostDimensions, 0, kMostElements);
    const int stridesB = arguments.integers("stridesB", task.stridesB, kMostDimensions, 0, kMostElements);
    if (stridesA != task.dimensions || stridesB != task.dimensions) arguments.refuse("shape", "not as many as strides");
    const int64_t length = elementsOf(arguments, task.shape, task.dimensions);
    task.a = arguments.buffer("a", 0);
    task.b = arguments.buffer("b", 0, task.a.storage);
    Storage result;
    if (!storageOfResult(op, task.a.storage, result))
      arguments.refuse("a", "stored in another type than this op takes");
    task.y = arguments.buffer("y", length, result);
    if (length == 0) return arguments.env().Undefined();
    checkReach(arguments, "a", task.a, 0, task.shape, task.stridesA, task.dimensions);
    checkReach(arguments, "b", task.b, 0, task.shape, task.stridesB, task.dimensions);
    Instance& instance = arguments.instance();
    binaryKernels(instance.level).binary(instance.context(), op, task);
    return arguments.env().Undefined();
  });
}

}  // namespace

void addPlainElementwise(Napi::Env env, Napi::Object exports) {
  exportFunction(env, exports, "unary", unary);
  exportFunction(env, exports, "binary", binary);
}

}  // namespace vitrail
