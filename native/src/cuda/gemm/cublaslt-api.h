// Our own declarations of the parts of cuBLASLt that we use. The library is opened at run time, so its header
// is not needed for the build. Names, numbers and layouts are those of cublasLt.h and library_types.h of CUDA
// 12 and 13.
#pragma once
#include <cstddef>
#include <cstdint>

#include "../device.h"

namespace vitrail::cuda::cublaslt {

using Status = int;
constexpr Status kSuccess = 0;
// The library does not compute this gemm.
constexpr Status kInvalidValue = 7;
constexpr Status kNotSupported = 15;

// cudaDataType_t
enum DataType : int32_t { kR32F = 0, kR16BF = 14 };
inline size_t bytesOf(DataType type) { return type == kR16BF ? 2 : 4; }

// cublasComputeType_t
enum ComputeType : int32_t { kCompute32F = 68, kCompute32FFastTf32 = 77 };

// cublasOperation_t
enum Operation : int32_t { kOpN = 0, kOpT = 1 };

// cublasLtMatrixLayoutAttribute_t, each with the type of its value
enum LayoutAttribute : int {
  kLayoutBatchCount = 5,          // int32_t
  kLayoutStridedBatchOffset = 6,  // int64_t
};

// cublasLtMatmulDescAttributes_t
enum DescAttribute : int {
  kDescTransA = 3,                   // int32_t
  kDescTransB = 4,                   // int32_t
  kDescEpilogue = 7,                 // uint32_t
  kDescBiasPointer = 8,              // void*
  kDescEpilogueAuxPointer = 11,      // void*
  kDescEpilogueAuxLd = 12,           // int64_t
  kDescEpilogueAuxBatchStride = 13,  // int64_t
  kDescBiasDataType = 26,            // int32_t; 12.0 and later
};

// cublasLtEpilogue_t, for a column-major result, where each row has one bias.
enum Epilogue : uint32_t {
  kEpilogueDefault = 1,
  kEpilogueBias = 4,
  kEpilogueGelu = 32,
  kEpilogueGeluBias = 36,
  // Also stores the values before GELU.
  kEpilogueGeluAux = 160,
  kEpilogueGeluAuxBias = 164,
  // Also stores the sums of op(B)'s columns, one for each column of the result.
  kEpilogueBGradB = 512,
};

// cublasLtMatmulPreferenceAttributes_t
enum PreferenceAttribute : int {
  kPreferenceMaxWorkspaceBytes = 1,    // uint64_t
  kPreferenceReductionSchemeMask = 3,  // uint32_t
};

// cublasLtReductionScheme_t, for gemms that are split along k. With the scheme "in place" (1), parts are added
// in the order in which they finish. The schemes below keep parts in the workspace, and a second step adds
// them in a fixed order.
enum ReductionScheme : uint32_t { kReductionComputeType = 2, kReductionOutputType = 4 };

struct Context;
struct MatmulDesc;
struct MatrixLayout;
struct Preference;

struct Algorithm {
  uint64_t data[8];
};

// cublasLtMatmulHeuristicResult_t
struct HeuristicResult {
  Algorithm algorithm;
  size_t workspaceBytes;
  Status state;
  float waves;
  int reserved[4];
};
static_assert(sizeof(Algorithm) == 64 && sizeof(HeuristicResult) == 96, "cuBLASLt's layout");

// The functions. Their names lack the prefix cublasLt.
struct Api {
  size_t (*GetVersion)();
  Status (*Create)(Context**);
  Status (*Destroy)(Context*);
  Status (*MatmulDescCreate)(MatmulDesc**, ComputeType, DataType scale);
  Status (*MatmulDescDestroy)(MatmulDesc*);
  Status (*MatmulDescSetAttribute)(MatmulDesc*, DescAttribute, const void* value, size_t bytes);
  Status (*MatrixLayoutCreate)(MatrixLayout**, DataType, uint64_t rows, uint64_t columns, int64_t lead);
  Status (*MatrixLayoutDestroy)(MatrixLayout*);
  Status (*MatrixLayoutSetAttribute)(MatrixLayout*, LayoutAttribute, const void* value, size_t bytes);
  Status (*MatmulPreferenceCreate)(Preference**);
  Status (*MatmulPreferenceDestroy)(Preference*);
  Status (*MatmulPreferenceSetAttribute)(Preference*, PreferenceAttribute, const void* value, size_t bytes);
  // Algorithms that are probably faster come first.
  Status (*MatmulAlgoGetHeuristic)(Context*, MatmulDesc*, MatrixLayout* a, MatrixLayout* b, MatrixLayout* c,
                                   MatrixLayout* d, Preference*, int wanted, HeuristicResult results[], int* found);
  Status (*MatmulAlgoCheck)(Context*, MatmulDesc*, MatrixLayout* a, MatrixLayout* b, MatrixLayout* c, MatrixLayout* d,
                            const Algorithm*, HeuristicResult*);
  // D = epilogue(alpha op(A) op(B) + beta C). All matrices are column-major. alpha and beta are in the host's
  // memory.
  Status (*LibraryGemm)(Context*, MatmulDesc*, const void* alpha, const void* a, MatrixLayout*, const void* b,
                        MatrixLayout*, const void* beta, const void* c, MatrixLayout*, void* d, MatrixLayout*,
                        const Algorithm*, void* workspace, size_t workspaceBytes, Stream);
};

}  // namespace vitrail::cuda::cublaslt
