// The fields of an object that JavaScript passes. A field that was not declared is refused, because otherwise
// a misspelt optional field would count as missing.
#pragma once
#include <napi.h>

#include <array>
#include <cstddef>
#include <string>

namespace vitrail {

using ExportedFunction = Napi::Value (*)(const Napi::CallbackInfo& info);

// Exports a function that takes one object. It is wrapped in a JavaScript function, which counts the object's
// fields and passes the number on. Counting takes some nanoseconds there, and half a microsecond from here.
void exportFunction(Napi::Env env, Napi::Object exports, const char* name, ExportedFunction function);

// Counts the fields of an object that are not undefined.
uint32_t countFields(Napi::Object object);

// The names of the fields that an object may have. The array must live as long as the program.
struct FieldNames {
  template <size_t N> constexpr FieldNames(const char* const (&names)[N]) : first(names), count(N) {}
  const char* const* begin() const { return first; }
  const char* const* end() const { return first + count; }

  const char* const* first;
  size_t count;
};

class Fields {
 public:
  static constexpr size_t kMost = 32;

  // Reads each field once. `present` is the number of fields that are not undefined.
  Fields(Napi::Env env, Napi::Object object, FieldNames names, uint32_t present);

  // Undefined if the object has no such field. `name` must be a declared name.
  Napi::Value operator[](const char* name) const;

 private:
  bool isDeclared(const std::string& name) const;
  // Throws if one of the object's fields is not declared.
  void checkNames(Napi::Object object) const;

  Napi::Env env_;
  FieldNames names_;
  std::array<napi_value, kMost> values_;
};

}  // namespace vitrail
