// Turns statuses of CUDA's runtime into exceptions. For .cu files.
#pragma once
#include <cuda_runtime.h>

#include <string>

#include "device.h"

namespace vitrail::cuda {

inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  // Clears the error, so that it does not count as one of the next launch.
  cudaGetLastError();
  throw DeviceError(std::string(what) + ": " + cudaGetErrorName(status) + ": " + cudaGetErrorString(status));
}

}  // namespace vitrail::cuda
