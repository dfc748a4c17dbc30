#include "../kernels/norm.h"

#include "extent.h"
#include "groups.h"

namespace vitrail {

namespace {

// { rows, width, stride? }
NormShape shapeOf(const Arguments& arguments) {
  const int64_t width = size(arguments, "width", 1);
  NormShape shape;
  shape.rows = static_cast<size_t>(arguments.integer("rows", 0, int64_t{1} << 31));
  shape.width = static_cast<size_t>(width);
  shape.stride = static_cast<size_t>(arguments.integerOr("stride", width, width, int64_t{1} << 40));
  return shape;
}

int64_t dense(const NormShape& shape) {
  return product({static_cast<int64_t>(shape.rows), static_cast<int64_t>(shape.width)});
}

// The number of elements from the first row's start to the last row's end.
int64_t spread(const NormShape& shape) {
  if (shape.rows == 0) return 0;
  return product({static_cast<int64_t>(shape.rows) - 1, static_cast<int64_t>(shape.stride)}) +
         static_cast<int64_t>(shape.width);
}

Napi::Value layerNormForward(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"rows",  "width", "stride",  "x",    "y",
                                            "scale", "shift", "epsilon", "mean", "rstd"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const NormShape shape = shapeOf(arguments);
    const auto rows = static_cast<int64_t>(shape.rows), width = static_cast<int64_t>(shape.width);
    const Array x = arguments.floats("x", spread(shape)), y = arguments.floats("y", dense(shape));
    const Array scale = arguments.buffer("scale", width, Storage::f32);
    const Array shift = arguments.buffer("shift", width, Storage::f32);
    const Array mean = arguments.buffer("mean", rows, Storage::f32);
    const Array rstd = arguments.buffer("rstd", rows, Storage::f32);
    Instance& instance = arguments.instance();
    normKernels(instance.level)
        .forward(instance.context(), shape, x, y, scale.f32(), shift.f32(),
                 static_cast<float>(arguments.number("epsilon")), mean.f32(), rstd.f32());
    return arguments.env().Undefined();
  });
}

Napi::Value layerNormRecompute(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"rows", "width", "stride", "x", "y", "scale", "shift", "mean", "rstd"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const NormShape shape = shapeOf(arguments);
    const auto rows = static_cast<int64_t>(shape.rows), width = static_cast<int64_t>(shape.width);
    const Array x = arguments.floats("x", spread(shape)), y = arguments.floats("y", dense(shape));
    const Array scale = arguments.buffer("scale", width, Storage::f32);
    const Array shift = arguments.buffer("shift", width, Storage::f32);
    const Array mean = arguments.buffer("mean", rows, Storage::f32);
    const Array rstd = arguments.buffer("rstd", rows, Storage::f32);
    Instance& instance = arguments.instance();
    normKernels(instance.level)
        .recompute(instance.context(), shape, x, y, scale.f32(), shift.f32(), mean.f32(), rstd.f32());
    return arguments.env().Undefined();
  });
}

Napi::Value layerNormBackward(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"rows", "width", "stride",   "x",  "dy",     "scale",
                                            "mean", "rstd",  "residual", "dx", "dScale", "dShift"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const NormShape shape = shapeOf(arguments);
    const auto rows = static_cast<int64_t>(shape.rows), width = static_cast<int64_t>(shape.width);
    const Array x = arguments.floats("x", spread(shape)), dy = arguments.floats("dy", dense(shape));
    const Array scale = arguments.buffer("scale", width, Storage::f32);
    const Array mean = arguments.buffer("mean", rows, Storage::f32);
    const Array rstd = arguments.buffer("rstd", rows, Storage::f32);
    const Array residual = arguments.optional("residual", spread(shape)), dx = arguments.floats("dx", spread(shape));
    const Array dScale = arguments.buffer("dScale", width, Storage::f32);
    const Array dShift = arguments.buffer("dShift", width, Storage::f32);
    Instance& instance = arguments.instance();
    normKernels(instance.level)
        .backward(instance.context(), shape, x, dy, scale.f32(), mean.f32(), rstd.f32(), residual, dx, dScale.f32(),
                  dShift.f32());
    return arguments.env().Undefined();
  });
}

}  // namespace

void addNorm(Napi::Env env, Napi::Object exports) {
  exportFunction(env, exports, "layerNormForward", layerNormForward);
  exportFunction(env, exports, "layerNormRecompute", layerNormRecompute);
  exportFunction(env, exports, "layerNormBackward", layerNormBackward);
}

}  // namespace vitrail
