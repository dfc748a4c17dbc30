// Where kernels are emulated, so is the library.
#pragma once
#include "cublaslt-library.h"

namespace vitrail::cuda {

// Defined by the emulator alone; null elsewhere.
__attribute__((weak)) GemmLibrary emulatedGemmLibrary();

}  // namespace vitrail::cuda
