// Each group of functions adds itself to the addon's exports.
#pragma once
#include <napi.h>

namespace vitrail {

void addMemory(Napi::Env env, Napi::Object exports);
void addSettings(Napi::Env env, Napi::Object exports);
void addActivation(Napi::Env env, Napi::Object exports);
void addNorm(Napi::Env env, Napi::Object exports);
void addLoss(Napi::Env env, Napi::Object exports);
void addTokens(Napi::Env env, Napi::Object exports);
void addGemm(Napi::Env env, Napi::Object exports);
void addAttention(Napi::Env env, Napi::Object exports);
// On typed arrays of JavaScript; the CUDA addon has the two below in its place, on its own memory.
void addExact(Napi::Env env, Napi::Object exports);
void addDeviceCopies(Napi::Env env, Napi::Object exports);
void addDeviceExact(Napi::Env env, Napi::Object exports);
void addPlainElementwise(Napi::Env env, Napi::Object exports);
void addPlainReduce(Napi::Env env, Napi::Object exports);
void addPlainCopy(Napi::Env env, Napi::Object exports);

}  // namespace vitrail
