// The fields of an object that JavaScript passes. A field that nobody declared is refused by its name: a misspelt
// optional one would else be taken for a missing one.
#pragma once
#include <napi.h>

#include <array>
#include <cstddef>
#include <string>

namespace vitrail {

using ExportedFunction = Napi::Value (*)(const Napi::CallbackInfo& info);

// Exports a function that takes one object. JavaScript calls it through a function of JavaScript, which counts the
// object's fields and passes their number on: that takes some nanoseconds there, and half a microsecond from here.
void exportFunction(Napi::Env env, Napi::Object exports, const char* name, ExportedFunction function);

// How many fields of an object are not undefined, counted here.
uint32_t countFields(Napi::Object object);

// The names of the fields that an object may have, from an array that lives as long as the program.
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

  // Reads each field once. `present`: how many fields the object has that are not undefined.
  Fields(Napi::Env env, Napi::Object object, FieldNames names, uint32_t present);

  // Undefined where the object has no such field. `name` is one of the declared names.
  Napi::Value operator[](const char* name) const;

 private:
  bool isDeclared(const std::string& name) const;
  // Throws where one of the names is not declared.
  void checkNames(Napi::Object object) const;

  Napi::Env env_;
  FieldNames names_;
  std::array<napi_value, kMost> values_;
};

}  // namespace vitrail
