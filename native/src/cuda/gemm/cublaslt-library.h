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
  // As cublasLtGetVersion says: 130100 is 13.1.0.
  size_t version = 0;
};

// Files to try, in order: what VITRAIL_CUBLASLT names and nothing else, where it is set; else for each major version
// from `majors` the dynamic loader's own search, the toolkit, and what pip and conda install.
std::vector<std::string> libraryCandidates(const std::vector<int>& majors);

// The first that opens; that of the CUDA version that we are built with before others. Throws a DeviceError that names
// what was looked for and where.
GemmLibrary openCublasLt(int builtWith);

// For this process: cuBLASLt, or, where the kernels are emulated, a program that keeps to the same interface.
const GemmLibrary& gemmLibrary();

}  // namespace vitrail::cuda
