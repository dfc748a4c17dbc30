// The objects of the emulated cuBLASLt, and the gemms that it takes according to its documentation.
#pragma once
#include "../gemm/cublaslt-api.h"

namespace vitrail::cuda {

namespace cublaslt {

struct Context {};

struct MatmulDesc {
  ComputeType compute = kCompute32F;
  int32_t operationA = kOpN, operationB = kOpN;
  uint32_t epilogue = kEpilogueDefault;
  const void* vector = nullptr;
  int32_t vectorType = -1;
  void* aux = nullptr;
  int64_t auxLead = 0, auxStride = 0;
};

struct MatrixLayout {
  DataType type = kR32F;
  int64_t rows = 0, columns = 0, lead = 0;
  int32_t batch = 1;
  int64_t stride = 0;
};

struct Preference {
  uint64_t workspaceBytes = 0;
  // All schemes, which is the library's default.
  uint32_t reductions = 7;
};

bool isAligned(const void* data, size_t to);
bool hasGelu(const MatmulDesc& desc);
bool hasAux(const MatmulDesc& desc);
bool hasBias(const MatmulDesc& desc);
Status checkProduct(const MatmulDesc& desc, const MatrixLayout& a, const MatrixLayout& b, const MatrixLayout& c,
                    const MatrixLayout& d);

}  // namespace cublaslt

}  // namespace vitrail::cuda
