// Functions that add their group to the addon's exports.
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
// Works on typed arrays of JavaScript. The CUDA addon has the two groups below in its place, which work on its
// own memory.
void addExact(Napi::Env env, Napi::Object exports);
void addDeviceCopies(Napi::Env env, Napi::Object exports);
void addDeviceExact(Napi::Env env, Napi::Object exports);
void addPlainElementwise(Napi::Env env, Napi::Object exports);
void addPlainReduce(Napi::Env env, Napi::Object exports);
void addPlainCopy(Napi::Env env, Napi::Object exports);

}  // namespace vitrail
