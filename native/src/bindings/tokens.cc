#include "../kernels/tokens.h"

#include "extent.h"
#include "groups.h"

namespace vitrail {

namespace {

Napi::Value patchesFromPixels(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"pixels", "flips", "values", "y", "images", "side", "patch"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const int64_t images = arguments.integer("images", 0, int64_t{1} << 24);
    const int64_t side = arguments.integer("side", 1, 65536), patch = arguments.integer("patch", 1, side);
    if (side % patch != 0) {
      arguments.refuse("patch", std::to_string(patch) + " does not divide a side of " + std::to_string(side));
    }
    // Rows of patches are counted in an int.
    if (images * (side / patch) > INT32_MAX) arguments.refuse("images", "too many for one call");
    const int64_t length = product({images, side, side, 3});
    const Array pixels = arguments.buffer("pixels", length, Storage::u8);
    const Array flips = arguments.buffer("flips", images, Storage::u8);
    const Array values = arguments.buffer("values", kPixelValues, Storage::f32);
    const Array y = arguments.floats("y", length);
    const PatchShape shape = {static_cast<size_t>(images), static_cast<size_t>(side), static_cast<size_t>(patch)};
    Instance& instance = arguments.instance();
    tokenKernels(instance.level)
        .patchesFromPixels(instance.context(), shape, pixels.as<uint8_t>(), flips.as<uint8_t>(), values.f32(), y);
    return arguments.env().Undefined();
  });
}

struct Lengths {
  TokenShape shape;
  // The numbers of elements of projected, z and position.
  int64_t projected, z, position, width;
};

// { images, patches, width }
Lengths lengthsOf(const Arguments& arguments) {
  const int64_t images = arguments.integer("images", 0, int64_t{1} << 24);
  const int64_t patches = arguments.integer("patches", 0, int64_t{1} << 24), width = size(arguments, "width");
  // Tokens are counted in an int, 16 at a time.
  if (product({images, patches + 1}) > int64_t{1} << 34) arguments.refuse("images", "too many for one call");
  const TokenShape shape = {static_cast<size_t>(images), static_cast<size_t>(patches + 1), static_cast<size_t>(width)};
  return {shape, product({images, patches, width}), product({images, patches + 1, width}),
          product({patches + 1, width}), width};
}

Napi::Value assembleTokens(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"images",     "patches",  "width", "projected",
                                            "classToken", "position", "z",     "dropout"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Lengths lengths = lengthsOf(arguments);
    const Array projected = arguments.floats("projected", lengths.projected);
    const Array classToken = arguments.buffer("classToken", lengths.width, Storage::f32);
    const Array position = arguments.buffer("position", lengths.position, Storage::f32);
    const Array z = arguments.floats("z", lengths.z);
    Instance& instance = arguments.instance();
    tokenKernels(instance.level)
        .assemble(instance.context(), lengths.shape, projected, classToken.f32(), position.f32(), z,
                  arguments.dropout("dropout"));
    return arguments.env().Undefined();
  });
}

Napi::Value assembleTokensBackward(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"images",     "patches",     "width",     "dz",
                                            "dProjected", "dClassToken", "dPosition", "dropout"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Lengths lengths = lengthsOf(arguments);
    const Array dz = arguments.floats("dz", lengths.z);
    const Array dProjected = arguments.floats("dProjected", lengths.projected);
    const Array dClassToken = arguments.buffer("dClassToken", lengths.width, Storage::f32);
    const Array dPosition = arguments.buffer("dPosition", lengths.position, Storage::f32);
    Instance& instance = arguments.instance();
    tokenKernels(instance.level)
        .assembleBackward(instance.context(), lengths.shape, dz, dProjected, dClassToken.f32(), dPosition.f32(),
                          arguments.dropout("dropout"));
    return arguments.env().Undefined();
  });
}

}  // namespace

void addTokens(Napi::Env env, Napi::Object exports) {
  exportFunction(env, exports, "patchesFromPixels", patchesFromPixels);
  exportFunction(env, exports, "assembleTokens", assembleTokens);
  exportFunction(env, exports, "assembleTokensBackward", assembleTokensBackward);
}

}  // namespace vitrail
