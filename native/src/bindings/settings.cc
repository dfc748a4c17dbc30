// Settings of a processor: threads and level.
#include <algorithm>

#include "arguments.h"
#include "groups.h"

namespace vitrail {

namespace {

constexpr int kMostThreads = 1024;

// -> names of the levels that this processor can run, the lowest first
Napi::Value levels(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (Level level : usableLevels()) names.Set(names.Length(), nameOf(level));
  return names;
}

// { level?: name, threads? } -> { level, threads } as they now are
Napi::Value configure(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"level", "threads"};
  return withArguments(info, kFields, [&](const Arguments& arguments) -> Napi::Value {
    Instance& instance = arguments.instance();
    if (arguments.has("level")) {
      const std::string wanted = arguments.field("level").ToString();
      const std::vector<Level> usable = usableLevels();
      const auto found =
          std::find_if(usable.begin(), usable.end(), [&](Level level) { return wanted == nameOf(level); });
      if (found == usable.end()) arguments.refuse("level", wanted + " is not usable here");
      instance.level = *found;
    }
    if (arguments.has("threads")) {
      const int threads = static_cast<int>(arguments.integer("threads", 1, kMostThreads));
      if (threads != instance.pool->threads()) instance.pool = std::make_unique<ThreadPool>(threads);
    }
    Napi::Object result = Napi::Object::New(arguments.env());
    result.Set("level", nameOf(instance.level));
    result.Set("threads", instance.pool->threads());
    return result;
  });
}

}  // namespace

void addSettings(Napi::Env env, Napi::Object exports) {
  exports.Set("levels", Napi::Function::New(env, levels));
  exportFunction(env, exports, "configure", configure);
}

}  // namespace vitrail
