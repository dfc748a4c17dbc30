// Chooses a GPU and lists those of the machine, in place of src/bindings/settings.cc.
#include "../bindings/arguments.h"
#include "../bindings/groups.h"
#include "gemm-settings.h"

namespace vitrail {

namespace {

std::string levelOf(int capability) { return capability == 0 ? "emulated" : "sm_" + std::to_string(capability); }

// -> the only level of the current GPU, named by its compute capability: sm_90
Napi::Value levels(const Napi::CallbackInfo& info) {
  return withInstance(info, [&](Instance& instance) -> Napi::Value {
    Napi::Array names = Napi::Array::New(info.Env());
    names.Set(uint32_t{0}, levelOf(instance.context().device.capability()));
    return names;
  });
}

// { device?: number, level?: name, threads?, gemm?, tune?, tf32? } -> their current values
Napi::Value configure(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"device", "level", "threads", "gemm", "tune", "tf32"};
  return withArguments(info, kFields, [&](const Arguments& arguments) -> Napi::Value {
    Instance& instance = arguments.instance();
    if (arguments.has("device")) instance.device.open(static_cast<int>(arguments.integer("device", 0, 1023)));
    const std::string level = levelOf(instance.context().device.capability());
    if (arguments.has("level")) {
      const std::string wanted = arguments.field("level").ToString();
      if (wanted != level) arguments.refuse("level", wanted + " is not usable here");
    }
    // Kernels use no threads of the host. The number is only kept so that it can be read.
    if (arguments.has("threads")) instance.threads = static_cast<int>(arguments.integer("threads", 1, 1024));
    Napi::Object result = Napi::Object::New(arguments.env());
    result.Set("level", level);
    result.Set("threads", instance.threads);
    configureGemms(arguments, result);
    return result;
  });
}

// -> { devices: [{ ordinal, name, memoryBytes, capability, multiprocessors, problem }], driver, runtime, problem }
Napi::Value devices(const Napi::CallbackInfo& info) {
  const cuda::DeviceList list = cuda::listDevices();
  const Napi::Env env = info.Env();
  Napi::Array found = Napi::Array::New(env);
  for (const cuda::DeviceInfo& device : list.devices) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("ordinal", device.ordinal);
    entry.Set("name", device.name);
    entry.Set("memoryBytes", static_cast<double>(device.memoryBytes));
    entry.Set("capability", device.capability);
    entry.Set("multiprocessors", device.multiprocessors);
    entry.Set("problem", device.problem);
    found.Set(found.Length(), entry);
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("devices", found);
  result.Set("driver", list.driver);
  result.Set("runtime", list.runtime);
  result.Set("problem", list.problem);
  return result;
}

// Waits for all kernels so far.
Napi::Value synchronise(const Napi::CallbackInfo& info) {
  return withInstance(info, [&](Instance& instance) -> Napi::Value {
    instance.context().device.synchronise();
    return info.Env().Undefined();
  });
}

}  // namespace

void addSettings(Napi::Env env, Napi::Object exports) {
  exports.Set("levels", Napi::Function::New(env, levels));
  exportFunction(env, exports, "configure", configure);
  exports.Set("devices", Napi::Function::New(env, devices));
  exports.Set("synchronise", Napi::Function::New(env, synchronise));
  addGemmSettings(env, exports);
}

}  // namespace vitrail
