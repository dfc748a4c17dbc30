// The addon: kernels for one JavaScript environment. Several threads of a process can load it. The CUDA addon
// has the same bindings, which call its own kernels.
#include "groups.h"
#include "instance.h"

namespace {

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
#if !defined(VITRAIL_CUDA)
  if (vitrail::usableLevels().empty()) {
    throw Napi::Error::New(env,
                           "they were compiled for another processor; `node native/build.mjs` does it for this one");
  }
#endif
  env.SetInstanceData(new vitrail::Instance());
  vitrail::addMemory(env, exports);
  vitrail::addSettings(env, exports);
  vitrail::addActivation(env, exports);
  vitrail::addNorm(env, exports);
  vitrail::addLoss(env, exports);
  vitrail::addTokens(env, exports);
  vitrail::addGemm(env, exports);
  vitrail::addAttention(env, exports);
#if defined(VITRAIL_CUDA)
  vitrail::addDeviceCopies(env, exports);
  vitrail::addDeviceExact(env, exports);
#else
  vitrail::addExact(env, exports);
#endif
  vitrail::addPlainElementwise(env, exports);
  vitrail::addPlainReduce(env, exports);
  vitrail::addPlainCopy(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(vitrail, initialise)
