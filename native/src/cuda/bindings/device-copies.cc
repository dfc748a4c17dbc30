// Clears ranges of buffers, and copies them to other buffers and from and to registered memory of the host.
#include "../../bindings/arguments.h"
#include "../../bindings/groups.h"
#include "transfers.h"

namespace vitrail {

namespace {

constexpr int64_t kMost = int64_t{1} << 40;

Napi::Value clear(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"buffer"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Array buffer = arguments.buffer("buffer", 0);
    if (buffer.length > 0) {
      arguments.instance().context().device.zero(buffer.data, buffer.length * bytesOf(buffer.storage));
    }
    return arguments.env().Undefined();
  });
}

// The address of an element.
uint8_t* elementOf(const Array& array, int64_t index) {
  return array.as<uint8_t>() + static_cast<size_t>(index) * bytesOf(array.storage);
}

Napi::Value copyRange(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"from", "fromOffset", "to", "toOffset", "length"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const int64_t length = arguments.integer("length", 0, kMost);
    const int64_t fromOffset = arguments.integer("fromOffset", 0, kMost);
    const int64_t toOffset = arguments.integer("toOffset", 0, kMost);
    const Array from = arguments.buffer("from", fromOffset + length);
    const Array to = arguments.buffer("to", toOffset + length, from.storage);
    if (length == 0) return arguments.env().Undefined();
    const size_t bytes = static_cast<size_t>(length) * bytesOf(from.storage);
    const uint8_t* source = elementOf(from, fromOffset);
    uint8_t* target = elementOf(to, toOffset);
    if (source < target + bytes && target < source + bytes) arguments.refuse("to", "the ranges overlap");
    arguments.instance().context().device.copyWithin(target, source, bytes);
    return arguments.env().Undefined();
  });
}

// A typed array of any type that copies support.
Array hostArray(const Arguments& arguments, const char* name, const Napi::Value& value) {
  if (!value.IsTypedArray()) arguments.refuse(name, "a typed array is missing");
  return arguments.host(name, value.As<Napi::TypedArray>().TypedArrayType());
}

size_t bytesOf(const Napi::Value& value) { return value.As<Napi::TypedArray>().ByteLength(); }

// Whether the array is on a SharedArrayBuffer, so that no other thread can take its memory away.
bool isShared(Napi::Env env, const Napi::Value& value) {
  napi_value buffer = nullptr;
  bool plain = true;
  napi_get_typedarray_info(env, value, nullptr, nullptr, nullptr, &buffer, nullptr);
  napi_is_arraybuffer(env, buffer, &plain);
  return !plain;
}

Napi::Value registerHost(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"array"};
  return withArguments(info, kFields, [&](const Arguments& arguments) {
    const Napi::Value value = arguments.field("array");
    const Array array = hostArray(arguments, "array", value);
    const size_t bytes = bytesOf(value);
    if (bytes == 0) arguments.refuse("array", "without elements");
    if (!isShared(arguments.env(), value)) {
      arguments.refuse("array", "not on a SharedArrayBuffer: other memory can be transferred away during a copy");
    }
    Transfers& transfers = arguments.instance().transfers(arguments.env());
    if (transfers.overlapsRegistered(array.data, bytes)) arguments.refuse("array", "registered already");
    transfers.registerHost(array.data, bytes, value.As<Napi::Object>());
    return arguments.env().Undefined();
  });
}

Napi::Value unregisterHost(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"array"};
  return withArguments(info, kFields, [&](const Arguments& arguments) {
    const Napi::Value value = arguments.field("array");
    const Array array = hostArray(arguments, "array", value);
    if (!arguments.instance().transfers(arguments.env()).unregisterHost(array.data, bytesOf(value))) {
      arguments.refuse("array", "not registered");
    }
    return arguments.env().Undefined();
  });
}

// { buffer, offset, length, values, valuesOffset } -> a promise
Napi::Value startCopy(const Arguments& arguments, Direction direction) {
  const int64_t length = arguments.integer("length", 0, kMost), offset = arguments.integer("offset", 0, kMost);
  const int64_t valuesOffset = arguments.integer("valuesOffset", 0, kMost);
  const Array buffer = arguments.buffer("buffer", offset + length);
  const Array values = arguments.host("values", hostType(buffer.storage));
  if (static_cast<int64_t>(values.length) < valuesOffset + length) {
    arguments.refuse("values", std::to_string(values.length) + " elements where " +
                                   std::to_string(valuesOffset + length) + " are needed");
  }
  const Napi::Env env = arguments.env();
  if (length == 0) {
    const auto nothing = Napi::Promise::Deferred::New(env);
    nothing.Resolve(env.Undefined());
    return nothing.Promise();
  }
  const size_t bytes = static_cast<size_t>(length) * bytesOf(buffer.storage);
  uint8_t* host = elementOf(values, valuesOffset);
  Instance& instance = arguments.instance();
  Transfers& transfers = instance.transfers(env);
  if (!transfers.isRegistered(host, bytes)) arguments.refuse("values", "not registered: registerHost comes first");
  const double handle = arguments.number("buffer");
  instance.hold(env, handle);
  return transfers.start(direction, host, elementOf(buffer, offset), bytes,
                         [&instance, handle] { instance.letGo(handle); });
}

Napi::Value readRange(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"buffer", "offset", "length", "values", "valuesOffset"};
  return withArguments(info, kFields, [](const Arguments& arguments) { return startCopy(arguments, Direction::out); });
}

Napi::Value writeRange(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"buffer", "offset", "length", "values", "valuesOffset"};
  return withArguments(info, kFields, [](const Arguments& arguments) { return startCopy(arguments, Direction::in); });
}

}  // namespace

void addDeviceCopies(Napi::Env env, Napi::Object exports) {
  exportFunction(env, exports, "clear", clear);
  exportFunction(env, exports, "copyRange", copyRange);
  exportFunction(env, exports, "registerHost", registerHost);
  exportFunction(env, exports, "unregisterHost", unregisterHost);
  exportFunction(env, exports, "readRange", readRange);
  exportFunction(env, exports, "writeRange", writeRange);
}

}  // namespace vitrail
