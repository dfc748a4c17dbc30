// Statuses of CUDA's runtime as exceptions. For .cu files.
#pragma once
#include <cuda_runtime.h>

#include <string>

#include "device.h"

namespace vitrail::cuda {

inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  // Told here: not an error of the next launch.
  cudaGetLastError();
  throw DeviceError(std::string(what) + ": " + cudaGetErrorName(status) + ": " + cudaGetErrorString(status));
}

}  // namespace vitrail::cuda
