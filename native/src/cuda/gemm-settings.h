// Chooses who computes gemms and by which algorithms: part of the CUDA addon's settings.
#pragma once
#include "../bindings/arguments.h"

namespace vitrail {

// Reads { gemm?, tune?, tf32? }, and adds their current values to the result of configure().
void configureGemms(const Arguments& arguments, Napi::Object result);

void addGemmSettings(Napi::Env env, Napi::Object exports);

}  // namespace vitrail
