// If kernels are emulated, the library is emulated too.
#pragma once
#include "cublaslt-library.h"

namespace vitrail::cuda {

// Defined only in the emulator; null elsewhere.
__attribute__((weak)) GemmLibrary emulatedGemmLibrary();

}  // namespace vitrail::cuda
