#include "../kernels/attention.h"

#include "extent.h"
#include "groups.h"

namespace vitrail {

namespace {

struct Lengths {
  AttentionShape shape;
  // The numbers of elements of qkv, out and logSumExp.
  int64_t qkv, out, statistics;
};

// { images, tokens, heads, width, bf16? }
Lengths lengthsOf(const Arguments& arguments) {
  const int64_t images = arguments.integer("images", 0, int64_t{1} << 24);
  const int64_t tokens = arguments.integer("tokens", 0, int64_t{1} << 20);
  const int64_t heads = arguments.integer("heads", 1, int64_t{1} << 16);
  const int64_t width = arguments.integer("width", 1, int64_t{1} << 16);
  // Tasks, of 512 or more queries of a head each, are counted in an int.
  if (product({images, heads, tokens / 512 + 1}) > INT32_MAX) arguments.refuse("images", "too many for one call");
  AttentionShape shape;
  shape.images = static_cast<size_t>(images), shape.tokens = static_cast<size_t>(tokens);
  shape.heads = static_cast<size_t>(heads), shape.width = static_cast<size_t>(width);
  shape.bf16 = arguments.flag("bf16");
  return {shape, product({images, tokens, heads, width, 3}), product({images, tokens, heads, width}),
          product({images, heads, tokens})};
}

Napi::Value attentionForward(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"images", "tokens", "heads", "width", "bf16", "qkv", "out", "logSumExp"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Lengths lengths = lengthsOf(arguments);
    const Array qkv = arguments.floats("qkv", lengths.qkv), out = arguments.floats("out", lengths.out);
    const Array logSumExp = arguments.buffer("logSumExp", lengths.statistics, Storage::f32);
    Instance& instance = arguments.instance();
    attentionKernels(instance.level).forward(instance.context(), lengths.shape, qkv, out, logSumExp.f32());
    return arguments.env().Undefined();
  });
}

Napi::Value attentionBackward(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"images", "tokens", "heads",     "width", "bf16",
                                            "qkv",    "out",    "logSumExp", "dOut",  "dQkv"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Lengths lengths = lengthsOf(arguments);
    const Array qkv = arguments.floats("qkv", lengths.qkv), out = arguments.floats("out", lengths.out);
    const Array logSumExp = arguments.buffer("logSumExp", lengths.statistics, Storage::f32);
    const Array dOut = arguments.floats("dOut", lengths.out), dQkv = arguments.floats("dQkv", lengths.qkv);
    Instance& instance = arguments.instance();
    attentionKernels(instance.level).backward(instance.context(), lengths.shape, qkv, out, logSumExp.f32(), dOut, dQkv);
    return arguments.env().Undefined();
  });
}

}  // namespace

void addAttention(Napi::Env env, Napi::Object exports) {
  exportFunction(env, exports, "attentionForward", attentionForward);
  exportFunction(env, exports, "attentionBackward", attentionBackward);
}

}  // namespace vitrail
