#include "../kernels/plain/reduce.h"
#include "../kernels/plain/softmax.h"
#include "groups.h"
#include "strides.h"

namespace vitrail {

namespace {

// In the order of ReduceOp.
constexpr const char* kReduce[] = {"sum", "mean", "max", "min", "prod", "all", "any", "argMax", "argMin"};

Napi::Value reduce(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"op", "x", "y", "outer", "length", "inner"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const auto op = static_cast<ReduceOp>(arguments.choice("op", kReduce, sizeof kReduce / sizeof *kReduce));
    ReduceTask task;
    int64_t sizes[3] = {arguments.integer("outer", 0, kMostElements), arguments.integer("length", 0, kMostElements),
                        arguments.integer("inner", 0, kMostElements)};
    task.outer = sizes[0], task.length = sizes[1], task.inner = sizes[2];
    task.x = arguments.buffer("x", elementsOf(arguments, sizes, 3));
    Storage result;
    if (!storageOfResult(op, task.x.storage, result))
      arguments.refuse("x", "stored in another type than this op takes");
    sizes[1] = 1;
    task.y = arguments.buffer("y", elementsOf(arguments, sizes, 3), result);
    Instance& instance = arguments.instance();
    reduceKernels(instance.level).reduce(instance.context(), op, task);
    return arguments.env().Undefined();
  });
}

Napi::Value softmax(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"x", "y", "rows", "width", "logarithm"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const int64_t sizes[2] = {arguments.integer("rows", 0, kMostElements),
                              arguments.integer("width", 0, kMostElements)};
    const int64_t length = elementsOf(arguments, sizes, 2);
    const Array x = arguments.buffer("x", length, Storage::f32), y = arguments.buffer("y", length, Storage::f32);
    Instance& instance = arguments.instance();
    softmaxKernels(instance.level).softmax(instance.context(), x, y, sizes[0], sizes[1], arguments.flag("logarithm"));
    return arguments.env().Undefined();
  });
}

}  // namespace

void addPlainReduce(Napi::Env env, Napi::Object exports) {
  exportFunction(env, exports, "reduce", reduce);
  exportFunction(env, exports, "softmax", softmax);
}

}  // namespace vitrail
