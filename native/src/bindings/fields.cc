#include "fields.h"

#include <cstring>

namespace vitrail {

namespace {

constexpr const char* kCounting = R"((native) => (fields) => {
  let count = 0;
  for (const name in fields) if (fields[name] !== undefined) count++;
  return native(fields, count);
})";

}  // namespace

void exportFunction(Napi::Env env, Napi::Object exports, const char* name, ExportedFunction function) {
  const auto counting = env.RunScript(kCounting).As<Napi::Function>();
  exports.Set(name, counting.Call({Napi::Function::New(env, function, name)}));
}

uint32_t countFields(Napi::Object object) {
  const Napi::Array names = object.GetPropertyNames();
  uint32_t count = 0;
  for (uint32_t i = 0; i < names.Length(); i++) count += object.Get(names.Get(i)).IsUndefined() ? 0 : 1;
  return count;
}

Fields::Fields(Napi::Env env, Napi::Object object, FieldNames names, uint32_t present)
    : env_(env), names_(names), values_{} {
  if (names.count > kMost) throw Napi::Error::New(env, "a function declares more fields than Fields holds");
  uint32_t known = 0;
  size_t i = 0;
  for (const char* name : names) {
    const Napi::Value value = object.Get(name);
    if (!value.IsUndefined()) known++;
    values_[i++] = value;
  }
  if (known != present) checkNames(object);
}

Napi::Value Fields::operator[](const char* name) const {
  // Compilers keep one copy of equal literals, so comparing pointers is almost always enough, and much faster.
  for (size_t i = 0; i < names_.count; i++) {
    if (names_.first[i] == name) return {env_, values_[i]};
  }
  for (size_t i = 0; i < names_.count; i++) {
    if (strcmp(names_.first[i], name) == 0) return {env_, values_[i]};
  }
  throw Napi::Error::New(env_, std::string(name) + ": read, but not declared");
}

bool Fields::isDeclared(const std::string& name) const {
  for (const char* declared : names_) {
    if (name == declared) return true;
  }
  return false;
}

void Fields::checkNames(Napi::Object object) const {
  const Napi::Array found = object.GetPropertyNames();
  for (uint32_t i = 0; i < found.Length(); i++) {
    const std::string name = found.Get(i).As<Napi::String>();
    if (isDeclared(name)) continue;
    std::string known;
    for (const char* declared : names_) known += (known.empty() ? "" : ", ") + std::string(declared);
    throw Napi::TypeError::New(env_, name + ": no such field, only " + known);
  }
}

}  // namespace vitrail
