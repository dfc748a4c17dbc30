#include "../kernels/activation.h"

#include "arguments.h"
#include "groups.h"

namespace vitrail {

namespace {

constexpr int64_t kMost = int64_t{1} << 40;

GeluForm geluForm(const Arguments& arguments) { return static_cast<GeluForm>(arguments.integer("form", 0, 1)); }

Napi::Value geluForward(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"x", "y", "length", "form", "dropout"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const int64_t length = arguments.integer("length", 0, kMost);
    Array x = arguments.floats("x", length), y = arguments.floats("y", length);
    x.length = y.length = static_cast<size_t>(length);
    Instance& instance = arguments.instance();
    activationKernels(instance.level)
        .geluForward(instance.context(), x, y, geluForm(arguments), arguments.dropout("dropout"));
    return arguments.env().Undefined();
  });
}

Napi::Value geluBackward(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"x", "dh", "length", "form", "dropout", "keepOutput"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const int64_t length = arguments.integer("length", 0, kMost);
    Array x = arguments.floats("x", length), dh = arguments.floats("dh", length);
    x.length = dh.length = static_cast<size_t>(length);
    Instance& instance = arguments.instance();
    activationKernels(instance.level)
        .geluBackward(instance.context(), x, dh, geluForm(arguments), arguments.dropout("dropout"),
                      arguments.flag("keepOutput"));
    return arguments.env().Undefined();
  });
}

Napi::Value dropout(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"x", "y", "length", "dropout"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const int64_t length = arguments.integer("length", 0, kMost);
    Array x = arguments.floats("x", length), y = arguments.floats("y", length);
    x.length = y.length = static_cast<size_t>(length);
    if (!arguments.has("dropout")) arguments.refuse("dropout", "an object is missing");
    Instance& instance = arguments.instance();
    activationKernels(instance.level).dropout(instance.context(), x, y, arguments.dropout("dropout"));
    return arguments.env().Undefined();
  });
}

}  // namespace

void addActivation(Napi::Env env, Napi::Object exports) {
  exportFunction(env, exports, "geluForward", geluForward);
  exportFunction(env, exports, "geluBackward", geluBackward);
  exportFunction(env, exports, "dropout", dropout);
}

}  // namespace vitrail
