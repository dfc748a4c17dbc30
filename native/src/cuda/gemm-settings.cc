#include "gemm-settings.h"

#include "gemm/gemms.h"

namespace vitrail {

namespace {

constexpr const char* kBy[] = {"own", "library"};
using By = cuda::Gemms::By;

cuda::Gemms& gemms(Instance& instance) { return cuda::gemmsOf(instance.context().device); }

// 130100 is 13.1.0.
std::string versionText(size_t version) {
  const auto part = [&](size_t unit) { return std::to_string(version / unit % 100); };
  return part(10000) + "." + part(100) + "." + part(1);
}

// -> { name: 'own' | 'cublaslt', version, path, digest }. Throws if the library is wanted but missing.
Napi::Value gemmLibrary(const Napi::CallbackInfo& info) {
  return withInstance(info, [&](Instance& instance) -> Napi::Value {
    const cuda::Gemms& by = gemms(instance);
    Napi::Object result = Napi::Object::New(info.Env());
    const bool own = by.settings.by == By::own;
    const cuda::GemmLibrary ours{nullptr, cuda::kOwn, "", 0};
    const cuda::GemmLibrary library = own ? ours : cuda::gemmLibrary();
    result.Set("name", library.name);
    result.Set("version", own ? "" : versionText(library.version));
    result.Set("path", library.path);
    result.Set("digest", by.digest());
    return result;
  });
}

// -> [{ key, algorithm, microseconds }], in the order of their keys
Napi::Value gemmChoices(const Napi::CallbackInfo& info) {
  return withInstance(info, [&](Instance& instance) -> Napi::Value {
    Napi::Array list = Napi::Array::New(info.Env());
    for (const cuda::GemmChoice& choice : gemms(instance).choices()) {
      Napi::Object entry = Napi::Object::New(info.Env());
      entry.Set("key", choice.key);
      entry.Set("algorithm", choice.algorithm);
      entry.Set("microseconds", choice.microseconds);
      list.Set(list.Length(), entry);
    }
    return list;
  });
}

cuda::GemmChoice choiceOf(const Arguments& arguments, const Napi::Value& value, uint32_t index) {
  const auto refuse = [&](const char* why) {
    arguments.refuse("choices", "item " + std::to_string(index) + " " + why);
  };
  if (!value.IsObject()) refuse("is no object");
  const Napi::Object entry = value.As<Napi::Object>();
  const Napi::Value key = entry.Get("key"), algorithm = entry.Get("algorithm"), time = entry.Get("microseconds");
  if (!key.IsString() || !algorithm.IsString() || !time.IsNumber()) refuse("is no { key, algorithm, microseconds }");
  const cuda::GemmChoice choice{key.As<Napi::String>(), algorithm.As<Napi::String>(),
                                time.As<Napi::Number>().DoubleValue()};
  cuda::Fusion fusion;
  std::optional<cuda::cublaslt::Algorithm> parsed;
  if (choice.algorithm != cuda::kOwn && !cuda::parseWay(choice.algorithm, fusion, parsed)) refuse("names no algorithm");
  return choice;
}

// { choices } replaces all choices so far.
Napi::Value setGemmChoices(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"choices"};
  return withArguments(info, kFields, [&](const Arguments& arguments) -> Napi::Value {
    const Napi::Value value = arguments.field("choices");
    if (!value.IsArray()) arguments.refuse("choices", "a list is missing");
    const Napi::Array list = value.As<Napi::Array>();
    std::vector<cuda::GemmChoice> choices;
    for (uint32_t i = 0; i < list.Length(); i++) choices.push_back(choiceOf(arguments, list.Get(i), i));
    gemms(arguments.instance()).setChoices(choices);
    return arguments.env().Undefined();
  });
}

// -> the files that are tried for the library, in order
Napi::Value gemmLibraryCandidates(const Napi::CallbackInfo& info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (const std::string& path : cuda::libraryCandidates({13, 12})) list.Set(list.Length(), path);
  return list;
}

// -> { path, version } of the library that would compute gemms. Needs no GPU.
Napi::Value findGemmLibrary(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const cuda::GemmLibrary library = cuda::openCublasLt(cuda::listDevices().runtime / 1000);
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("path", library.path);
    result.Set("version", versionText(library.version));
    return Napi::Value(result);
  });
}

}  // namespace

void configureGemms(const Arguments& arguments, Napi::Object result) {
  cuda::Gemms& by = gemms(arguments.instance());
  cuda::Gemms::Settings settings = by.settings;
  if (arguments.has("gemm")) settings.by = arguments.choice("gemm", kBy, 2) == 0 ? By::own : By::library;
  if (arguments.has("tune")) settings.tune = arguments.flag("tune");
  if (arguments.has("tf32")) settings.tf32 = arguments.flag("tf32");
  by.settings = settings;
  result.Set("gemm", kBy[settings.by == By::own ? 0 : 1]);
  result.Set("tune", settings.tune);
  result.Set("tf32", settings.tf32);
}

void addGemmSettings(Napi::Env env, Napi::Object exports) {
  exports.Set("gemmLibrary", Napi::Function::New(env, gemmLibrary));
  exports.Set("gemmLibraryCandidates", Napi::Function::New(env, gemmLibraryCandidates));
  exports.Set("findGemmLibrary", Napi::Function::New(env, findGemmLibrary));
  exports.Set("gemmChoices", Napi::Function::New(env, gemmChoices));
  exportFunction(env, exports, "setGemmChoices", setGemmChoices);
}

}  // namespace vitrail
