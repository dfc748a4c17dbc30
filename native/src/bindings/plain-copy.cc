#include "../kernels/plain/copy.h"
#include "groups.h"
#include "strides.h"

namespace vitrail {

namespace {

Napi::Value stridedCopy(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"x", "y", "shape", "offsetX", "offsetY", "stridesX", "stridesY"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    CopyTask task;
    constexpr int kMost = kMostCopyDimensions;
    task.dimensions = arguments.integers("shape", task.shape, kMost, 0, kMostElements);
    const int stridesX = arguments.integers("stridesX", task.stridesX, kMost, -kMostElements, kMostElements);
    const int stridesY = arguments.integers("stridesY", task.stridesY, kMost, -kMostElements, kMostElements);
    if (stridesX != task.dimensions || stridesY != task.dimensions) arguments.refuse("shape", "not as many as strides");
    task.offsetX = arguments.integerOr("offsetX", 0, 0, kMostElements);
    task.offsetY = arguments.integerOr("offsetY", 0, 0, kMostElements);
    task.x = arguments.buffer("x", 0);
    task.y = arguments.buffer("y", 0, task.x.storage);
    if (elementsOf(arguments, task.shape, task.dimensions) == 0) return arguments.env().Undefined();
    if (task.x.data == task.y.data) arguments.refuse("y", "is x itself");
    checkReach(arguments, "x", task.x, task.offsetX, task.shape, task.stridesX, task.dimensions);
    checkReach(arguments, "y", task.y, task.offsetY, task.shape, task.stridesY, task.dimensions);
    Instance& instance = arguments.instance();
    copyKernels(instance.level).copy(instance.context(), task);
    return arguments.env().Undefined();
  });
}

Napi::Value gather(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"x", "indices", "y", "outer", "axis", "count", "inner"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    GatherTask task;
    task.outer = arguments.integer("outer", 0, kMostElements);
    task.axis = arguments.integer("axis", 0, kMostElements);
    task.count = arguments.integer("count", 0, kMostElements);
    task.inner = arguments.integer("inner", 0, kMostElements);
    int64_t sizes[3] = {task.outer, task.axis, task.inner};
    task.x = arguments.buffer("x", elementsOf(arguments, sizes, 3));
    sizes[1] = task.count;
    task.y = arguments.buffer("y", elementsOf(arguments, sizes, 3), task.x.storage);
    task.indices = arguments.buffer("indices", task.count, Storage::i32).as<int32_t>();
    // Indices on a GPU cannot be read here. Its kernel writes zeros for a wrong index.
    for (int64_t i = 0; !kOnGpu && i < task.count; i++) {
      if (task.indices[i] < 0 || task.indices[i] >= task.axis) {
        arguments.refuse("indices",
                         std::to_string(task.indices[i]) + " is not in [0, " + std::to_string(task.axis) + ")");
      }
    }
    Instance& instance = arguments.instance();
    copyKernels(instance.level).gather(instance.context(), task);
    return arguments.env().Undefined();
  });
}

Napi::Value select(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"condition", "a", "b", "y", "length"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const int64_t length = arguments.integer("length", 0, kMostElements);
    const Array condition = arguments.buffer("condition", length, Storage::u8);
    const Array a = arguments.buffer("a", length), b = arguments.buffer("b", length, a.storage);
    Array y = arguments.buffer("y", length, a.storage);
    y.length = static_cast<size_t>(length);
    Instance& instance = arguments.instance();
    copyKernels(instance.level).select(instance.context(), condition.as<uint8_t>(), a, b, y);
    return arguments.env().Undefined();
  });
}

Napi::Value fill(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"y", "value", "length"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const int64_t length = arguments.integer("length", 0, kMostElements);
    Array y = arguments.buffer("y", length);
    y.length = static_cast<size_t>(length);
    Instance& instance = arguments.instance();
    copyKernels(instance.level).fill(instance.context(), y, arguments.number("value"));
    return arguments.env().Undefined();
  });
}

Napi::Value convert(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"x", "y", "length"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const int64_t length = arguments.integer("length", 0, kMostElements);
    Array x = arguments.buffer("x", length), y = arguments.buffer("y", length);
    x.length = y.length = static_cast<size_t>(length);
    Instance& instance = arguments.instance();
    copyKernels(instance.level).convert(instance.context(), x, y);
    return arguments.env().Undefined();
  });
}

}  // namespace

void addPlainCopy(Napi::Env env, Napi::Object exports) {
  exportFunction(env, exports, "stridedCopy", stridedCopy);
  exportFunction(env, exports, "gather", gather);
  exportFunction(env, exports, "select", select);
  exportFunction(env, exports, "fill", fill);
  exportFunction(env, exports, "convert", convert);
}

}  // namespace vitrail
