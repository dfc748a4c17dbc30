#include "arguments.h"

#include <cmath>
#include <cstring>

namespace vitrail {

napi_typedarray_type hostType(Storage storage) {
  switch (storage) {
    case Storage::i32: return napi_int32_array;
    case Storage::u8: return napi_uint8_array;
    case Storage::bf16: return napi_uint16_array;
    default: return napi_float32_array;
  }
}

Napi::Object Arguments::objectOf(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "a kernel takes one object");
  return info[0].As<Napi::Object>();
}

uint32_t Arguments::countOf(const Napi::CallbackInfo& info) {
  return info[1].IsNumber() ? info[1].As<Napi::Number>().Uint32Value() : countFields(objectOf(info));
}

Arguments::Arguments(const Napi::CallbackInfo& info, FieldNames names)
    : env_(info.Env()), instance_(Instance::of(info.Env())), fields_(env_, objectOf(info), names, countOf(info)) {}

void Arguments::refuse(const char* name, const std::string& reason) const {
  throw Napi::TypeError::New(env_, std::string(name) + ": " + reason);
}

int64_t Arguments::integer(const char* name, int64_t lowest, int64_t highest) const {
  const double value = number(name);
  if (!(value == std::floor(value)) || value < static_cast<double>(lowest) || value > static_cast<double>(highest)) {
    refuse(name, std::to_string(value) + " is not a whole number from " + std::to_string(lowest) + " to " +
                     std::to_string(highest));
  }
  return static_cast<int64_t>(value);
}

int64_t Arguments::integerOr(const char* name, int64_t otherwise, int64_t lowest, int64_t highest) const {
  return has(name) ? integer(name, lowest, highest) : otherwise;
}

double Arguments::number(const char* name) const {
  const Napi::Value value = field(name);
  if (!value.IsNumber()) refuse(name, "a number is missing");
  return value.As<Napi::Number>().DoubleValue();
}

double Arguments::numberOr(const char* name, double otherwise) const { return has(name) ? number(name) : otherwise; }

bool Arguments::flag(const char* name) const {
  const Napi::Value value = field(name);
  if (value.IsUndefined()) return false;
  if (!value.IsBoolean()) refuse(name, "not a boolean");
  return value.As<Napi::Boolean>().Value();
}

int Arguments::choice(const char* name, const char* const* names, int count) const {
  char text[32];
  size_t length = 0;
  if (napi_get_value_string_utf8(env_, field(name), text, sizeof text, &length) != napi_ok) {
    refuse(name, "a string is missing");
  }
  for (int i = 0; i < count; i++) {
    if (strcmp(text, names[i]) == 0) return i;
  }
  refuse(name, std::string(text) + " is unknown");
}

int Arguments::integers(const char* name, int64_t* to, int most, int64_t lowest, int64_t highest) const {
  const Napi::Value value = field(name);
  if (!value.IsArray()) refuse(name, "a list is missing");
  const Napi::Array list = value.As<Napi::Array>();
  const uint32_t count = list.Length();
  if (count > static_cast<uint32_t>(most)) {
    refuse(name, std::to_string(count) + " numbers where at most " + std::to_string(most) + " can be");
  }
  for (uint32_t i = 0; i < count; i++) {
    const Napi::Value item = list.Get(i);
    const double number = item.IsNumber() ? item.As<Napi::Number>().DoubleValue() : 0.5;
    if (!(number == std::floor(number)) || number < static_cast<double>(lowest) ||
        number > static_cast<double>(highest)) {
      refuse(name, "item " + std::to_string(i) + " is not a whole number from " + std::to_string(lowest) + " to " +
                       std::to_string(highest));
    }
    to[i] = static_cast<int64_t>(number);
  }
  return static_cast<int>(count);
}

std::vector<size_t> Arguments::wholes(const char* name, int64_t highest) const {
  const Array values = host(name, napi_float64_array);
  std::vector<size_t> result(values.length);
  for (size_t i = 0; i < values.length; i++) {
    const double value = values.as<double>()[i];
    if (!(value >= 0 && value <= static_cast<double>(highest) && value == std::floor(value))) {
      refuse(name, std::to_string(value) + " is not a whole number from 0 to " + std::to_string(highest));
    }
    result[i] = static_cast<size_t>(value);
  }
  return result;
}

Array Arguments::buffer(const char* name, int64_t length) const {
  const Array array = instance_.find(env_, number(name), name);
  if (static_cast<int64_t>(array.length) < length) {
    refuse(name, std::to_string(array.length) + " elements where " + std::to_string(length) + " are needed");
  }
  return array;
}

Array Arguments::buffer(const char* name, int64_t length, Storage storage) const {
  const Array array = buffer(name, length);
  if (array.storage != storage) refuse(name, "stored in another type than this kernel takes");
  return array;
}

Array Arguments::floats(const char* name, int64_t length) const {
  const Array array = buffer(name, length);
  if (array.storage != Storage::f32 && array.storage != Storage::bf16) refuse(name, "not stored as f32 or bf16");
  return array;
}

Array Arguments::optional(const char* name, int64_t length) const { return has(name) ? floats(name, length) : Array{}; }

Array Arguments::optional(const char* name, int64_t length, Storage storage) const {
  return has(name) ? buffer(name, length, storage) : Array{};
}

Array Arguments::host(const char* name, napi_typedarray_type type) const {
  const Napi::Value value = field(name);
  napi_typedarray_type found;
  size_t length = 0;
  void* data = nullptr;
  bool isTyped = false;
  napi_is_typedarray(env_, value, &isTyped);
  if (!isTyped) refuse(name, "a typed array is missing");
  if (napi_get_typedarray_info(env_, value, &found, &length, &data, nullptr, nullptr) != napi_ok) {
    refuse(name, "unreadable typed array");
  }
  if (found != type) refuse(name, "a typed array of another type than this kernel takes");
  Storage storage = Storage::f32;
  if (type == napi_int32_array || type == napi_uint32_array) storage = Storage::i32;
  if (type == napi_uint16_array) storage = Storage::bf16;
  if (type == napi_uint8_array) storage = Storage::u8;
  return {data, length, storage};
}

Array Arguments::hostWords(const char* name) const {
  const Napi::Value value = field(name);
  const bool whole = value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_int32_array;
  return host(name, whole ? napi_int32_array : napi_float32_array);
}

Array Arguments::optionalHost(const char* name, napi_typedarray_type type) const {
  return has(name) ? host(name, type) : Array{};
}

DropoutKey Arguments::dropout(const char* name) const {
  DropoutKey result;
  const Napi::Value value = field(name);
  if (value.IsUndefined()) return result;
  if (!value.IsObject()) refuse(name, "not an object");
  static constexpr const char* kFields[] = {"dropBelow", "kept", "key", "path"};
  const Napi::Object object = value.As<Napi::Object>();
  const Fields fields(env_, object, kFields, countFields(object));
  const auto word = [&](const Napi::Value& v) {
    if (!v.IsNumber()) refuse(name, "a number is missing");
    return v.As<Napi::Number>().Uint32Value();
  };
  const auto words = [&](const char* list, uint32_t* to, uint32_t count) {
    const Napi::Value v = fields[list];
    if (!v.IsArray()) refuse(name, std::string(list) + " is no array");
    for (uint32_t i = 0; i < count; i++) to[i] = word(v.As<Napi::Array>().Get(i));
  };
  result.dropBelow = word(fields["dropBelow"]);
  if (!fields["kept"].IsNumber()) refuse(name, "kept is no number");
  result.kept = fields["kept"].As<Napi::Number>().FloatValue();
  words("key", result.key, 2);
  words("path", result.path, 3);
  return result;
}

}  // namespace vitrail
