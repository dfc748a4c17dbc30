// Decides how cuBLASLt is called for a gemm: which matrices, which epilogue, and what is left for passes of
// our own. Nothing here touches a device.
#pragma once
#include <string>
#include <vector>

#include "../../kernels/gemm.h"
#include "cublaslt-api.h"

namespace vitrail::cuda {

// The operations that the library can fuse into a gemm.
struct Fusion {
  bool bias = true;
  // tanh GELU, with the pre-activation.
  bool gelu = false;
  bool residual = true;
  // Row sums of a.
  bool sums = false;

  unsigned bits() const { return bias | gelu << 1 | residual << 2 | sums << 3; }
  static Fusion of(unsigned bits) { return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0}; }
};

// A matrix in the library's form, which is column-major.
struct Layout {
  cublaslt::DataType type = cublaslt::kR32F;
  int64_t rows = 0, columns = 0, lead = 0;
  int64_t batch = 1, stride = 0;

  size_t elements() const {
    return static_cast<size_t>((batch - 1) * stride + (columns == 0 ? 0 : (columns - 1) * lead + rows));
  }
};

enum class Place : uint8_t { c, preActivation, scratch };
enum class Addend : uint8_t { none, c, residual };

struct GemmPlan {
  // The fused operations that apply to the task.
  Fusion fusion;
  cublaslt::ComputeType compute = cublaslt::kCompute32F;
  // Our b is the library's A, and a its B: the column-major result is the transpose of ours.
  Layout libraryA, libraryB;
  bool transposeA = false, transposeB = false;
  // Operands that are first converted, in scratch memory, to the type in which they are multiplied.
  bool convertsA = false, convertsB = false;
  // Both C and D.
  Layout result;
  Place place = Place::c;
  // C, times beta = 1.
  Addend addend = Addend::none;
  cublaslt::Epilogue epilogue = cublaslt::kEpilogueDefault;
  // The type of the bias or of the row sums in the epilogue. A bias of another type is converted to it.
  cublaslt::DataType vectorType = cublaslt::kR32F;
  // Whether a pass of our own computes c from the library's result.
  bool finishes = false;

  bool hasBias() const { return (epilogue & cublaslt::kEpilogueBias) != 0; }
  bool hasGelu() const { return (epilogue & cublaslt::kEpilogueGelu) != 0; }
  bool storesPreActivation() const { return epilogue >= cublaslt::kEpilogueGeluAux && hasGelu(); }
  bool sumsRows() const { return epilogue == cublaslt::kEpilogueBGradB; }
};

// Whether the library is used at all.
bool suitsLibrary(const GemmTask& task);

// `wanted` says what may be fused. Operations that do not apply to the task, or would not compute the same,
// are left out.
GemmPlan planGemm(const GemmTask& task, const Fusion& wanted, bool tf32);

// All different plans. The first is used without timings.
std::vector<GemmPlan> candidatePlans(const GemmTask& task, int capability, bool tf32);

// The rest for the pass after the library's gemm, as a task whose product is computed already.
GemmTask restOf(const GemmTask& task, const GemmPlan& plan);

// Everything that the choice of plan and algorithm depends on.
std::string keyOf(const GemmTask& task, bool tf32);

}  // namespace vitrail::cuda
