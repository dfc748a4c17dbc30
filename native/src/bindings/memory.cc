// Functions on buffers.
#include <cstring>

#include "arguments.h"
#include "groups.h"

namespace vitrail {

namespace {

constexpr int64_t kMost = int64_t{1} << 40;

#if defined(VITRAIL_CUDA)
void copyIn(Instance& instance, void* to, const void* from, size_t bytes) {
  instance.context().device.copyIn(to, from, bytes);
}
void copyOut(Instance& instance, void* to, const void* from, size_t bytes) {
  instance.context().device.copyOut(to, from, bytes);
}
#else
void copyIn(Instance&, void* to, const void* from, size_t bytes) { memcpy(to, from, bytes); }
void copyOut(Instance&, void* to, const void* from, size_t bytes) { memcpy(to, from, bytes); }
#endif

// { length, storage } -> handle
Napi::Value allocate(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"length", "storage"};
  return withArguments(info, kFields, [](const Arguments& arguments) -> Napi::Value {
    const auto storage = static_cast<Storage>(arguments.integer("storage", 0, 3));
    const int64_t length = arguments.integer("length", 0, kMost);
    return Napi::Number::New(arguments.env(),
                             arguments.instance().allocate(arguments.env(), static_cast<size_t>(length), storage));
  });
}

// { values: Float32Array | Int32Array } -> handle of the same memory, not a copy
Napi::Value wrap(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"values"};
  return withArguments(info, kFields, [&](const Arguments& arguments) -> Napi::Value {
    const Napi::Object values = arguments.field("values").As<Napi::Object>();
    const bool whole = values.IsTypedArray() && values.As<Napi::TypedArray>().TypedArrayType() == napi_int32_array;
    const Array array = arguments.host("values", whole ? napi_int32_array : napi_float32_array);
    if (kOnGpu) arguments.refuse("values", "a GPU does not compute on the host's memory");
    return Napi::Number::New(arguments.env(), arguments.instance().wrap(array, values));
  });
}

// { buffer, offset?, length?, storage? } -> handle of those elements
Napi::Value view(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"buffer", "offset", "length", "storage"};
  return withArguments(info, kFields, [](const Arguments& arguments) -> Napi::Value {
    const Array whole = arguments.buffer("buffer", 0);
    const auto storage =
        static_cast<Storage>(arguments.integerOr("storage", static_cast<int64_t>(whole.storage), 0, 3));
    const int64_t offset = arguments.integerOr("offset", 0, 0, static_cast<int64_t>(whole.length));
    const int64_t length = arguments.integerOr("length", static_cast<int64_t>(whole.length) - offset, 0, kMost);
    return Napi::Number::New(arguments.env(),
                             arguments.instance().view(arguments.env(), arguments.number("buffer"), storage,
                                                       static_cast<size_t>(offset), static_cast<size_t>(length)));
  });
}

// (handle)
Napi::Value release(const Napi::CallbackInfo& info) {
  return withInstance(info, [&](Instance& instance) -> Napi::Value {
    if (!info[0].IsNumber()) throw Napi::TypeError::New(info.Env(), "release: a number is missing");
    instance.release(info.Env(), info[0].As<Napi::Number>().DoubleValue());
    return info.Env().Undefined();
  });
}

// { buffer, values } copies the typed array into the buffer's start. Types must match; bf16 is passed as Uint16Array.
Napi::Value write(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"buffer", "values"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Array to = arguments.buffer("buffer", 0);
    const Array from = arguments.host("values", hostType(to.storage));
    if (from.length > to.length) arguments.refuse("values", "longer than the buffer");
    if (from.length > 0) copyIn(arguments.instance(), to.data, from.data, from.length * bytesOf(to.storage));
    return arguments.env().Undefined();
  });
}

// { buffer, values } copies the start of the buffer into the typed array.
Napi::Value read(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"buffer", "values"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Array from = arguments.buffer("buffer", 0);
    const Array to = arguments.host("values", hostType(from.storage));
    if (to.length > from.length) arguments.refuse("values", "longer than the buffer");
    if (to.length > 0) copyOut(arguments.instance(), to.data, from.data, to.length * bytesOf(to.storage));
    return arguments.env().Undefined();
  });
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  const MemoryStatistics& s = Instance::of(info.Env()).memory.statistics();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("bytesInUse", static_cast<double>(s.bytesInUse));
  result.Set("bytesReserved", static_cast<double>(s.bytesReserved));
  result.Set("peakBytesTaken", static_cast<double>(s.peakBytesTaken));
  result.Set("blocksInUse", static_cast<double>(s.blocksInUse));
  return result;
}

Napi::Value trimMemory(const Napi::CallbackInfo& info) {
  Instance& instance = Instance::of(info.Env());
  instance.memory.trim();
  instance.memory.resetPeak();
  return info.Env().Undefined();
}

}  // namespace

void addMemory(Napi::Env env, Napi::Object exports) {
  exportFunction(env, exports, "allocate", allocate);
  exportFunction(env, exports, "wrap", wrap);
  exportFunction(env, exports, "view", view);
  exports.Set("release", Napi::Function::New(env, release));
  exportFunction(env, exports, "write", write);
  exportFunction(env, exports, "read", read);
  exports.Set("memory", Napi::Function::New(env, memory));
  exports.Set("trimMemory", Napi::Function::New(env, trimMemory));
}

}  // namespace vitrail
