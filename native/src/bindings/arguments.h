// Reads the one object that a kernel function takes, and checks every field, so that nothing that JavaScript
// passes can make a kernel access memory that is not its own.
#pragma once
#include <napi.h>

#include <string>

#include "../kernels/dropout-key.h"
#include "fields.h"
#include "instance.h"

namespace vitrail {

// The typed array that holds a buffer's elements in JavaScript; for bf16 it is a Uint16Array.
napi_typedarray_type hostType(Storage storage);

class Arguments {
 public:
  // `names` are the fields that the object may have.
  Arguments(const Napi::CallbackInfo& info, FieldNames names);

  Napi::Env env() const { return env_; }
  Instance& instance() const { return instance_; }

  Napi::Value field(const char* name) const { return fields_[name]; }
  bool has(const char* name) const { return !field(name).IsUndefined(); }
  // Throws unless it is a whole number in [lowest, highest].
  int64_t integer(const char* name, int64_t lowest, int64_t highest) const;
  int64_t integerOr(const char* name, int64_t otherwise, int64_t lowest, int64_t highest) const;
  double number(const char* name) const;
  double numberOr(const char* name, double otherwise) const;
  // False if the field is missing.
  bool flag(const char* name) const;
  // The index of a string among the names.
  int choice(const char* name, const char* const* names, int count) const;
  // Reads a list of at most `most` whole numbers in [lowest, highest], and returns how many there are.
  int integers(const char* name, int64_t* to, int most, int64_t lowest, int64_t highest) const;

  // A Float64Array of whole numbers in [0, highest].
  std::vector<size_t> wholes(const char* name, int64_t highest) const;

  // A buffer by its handle, with at least `length` elements.
  Array buffer(const char* name, int64_t length) const;
  Array buffer(const char* name, int64_t length, Storage storage) const;
  // f32 or bf16.
  Array floats(const char* name, int64_t length) const;
  // An empty array if the field is missing.
  Array optional(const char* name, int64_t length) const;
  Array optional(const char* name, int64_t length, Storage storage) const;

  // The memory of a typed array of any length, which may lie on a SharedArrayBuffer.
  Array host(const char* name, napi_typedarray_type type) const;
  // An Int32Array or a Float32Array; the result's storage says which.
  Array hostWords(const char* name) const;
  Array optionalHost(const char* name, napi_typedarray_type type) const;

  // { dropBelow, kept, key: [k0, k1], path: [p1, p2, p3] }, or no dropout if the field is missing.
  DropoutKey dropout(const char* name) const;

  [[noreturn]] void refuse(const char* name, const std::string& reason) const;

 private:
  static Napi::Object objectOf(const Napi::CallbackInfo& info);
  // The number of fields, which exportFunction() passes on.
  static uint32_t countOf(const Napi::CallbackInfo& info);

  Napi::Env env_;
  Instance& instance_;
  Fields fields_;
};

// Runs the body of a Napi function, and turns C++ exceptions into JavaScript's.
template <typename Body> Napi::Value guarded(const Napi::CallbackInfo& info, const Body& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    throw Napi::RangeError::New(info.Env(), "out of memory");
#if defined(VITRAIL_CUDA)
  } catch (const cuda::DeviceError& error) {
    throw Napi::Error::New(info.Env(), error.what());
#endif
  }
}

// For functions that take one object, whose fields must be among `names`.
template <typename Body> Napi::Value withArguments(const Napi::CallbackInfo& info, FieldNames names, Body body) {
  return guarded(info, [&] { return Napi::Value(body(Arguments(info, names))); });
}

// For functions without arguments.
template <typename Body> Napi::Value withInstance(const Napi::CallbackInfo& info, Body body) {
  return guarded(info, [&] { return Napi::Value(body(Instance::of(info.Env()))); });
}

}  // namespace vitrail
