// Finds and opens cuBLASLt.
#pragma once
#include <string>
#include <vector>

#include "cublaslt-api.h"

namespace vitrail::cuda {

struct GemmLibrary {
  const cublaslt::Api* api = nullptr;
  std::string name;
  std::string path;
  // The result of cublasLtGetVersion: 130100 is 13.1.0.
  size_t version = 0;
};

// Files to try, in order. If VITRAIL_CUBLASLT is set, only that file. Otherwise, for each major version from
// `majors`, those of the dynamic loader's own search, of the toolkit, and of pip and conda.
std::vector<std::string> libraryCandidates(const std::vector<int>& majors);

// The first library that opens, where the CUDA version of our build is tried before others. Throws a
// DeviceError that names the files that were tried.
GemmLibrary openCublasLt(int builtWith);

// The library of this process: cuBLASLt, or on the emulator a stand-in with the same interface.
const GemmLibrary& gemmLibrary();

}  // namespace vitrail::cuda
