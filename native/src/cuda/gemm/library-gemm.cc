#include "library-gemm.h"

namespace vitrail::cuda {

using namespace cublaslt;

LibraryGemm::LibraryGemm(const Api& api, cublaslt::Context* context, const GemmPlan& plan)
    : api_(api),
      context_(context),
      beta_(plan.addend == Addend::none ? 0.0f : 1.0f),
      hasVector_(plan.hasBias() || plan.sumsRows()),
      hasAux_(plan.storesPreActivation()),
      result_(plan.result.type) {
  try {
    check(api_.MatmulDescCreate(&desc_, plan.compute, kR32F), "MatmulDescCreate");
    set<int32_t>(kDescTransA, plan.transposeA ? kOpT : kOpN, "TRANSA");
    set<int32_t>(kDescTransB, plan.transposeB ? kOpT : kOpN, "TRANSB");
    set<uint32_t>(kDescEpilogue, plan.epilogue, "EPILOGUE");
    if (hasVector_) set<int32_t>(kDescBiasDataType, plan.vectorType, "BIAS_DATA_TYPE");
    if (hasAux_) {
      set<int64_t>(kDescEpilogueAuxLd, plan.result.lead, "EPILOGUE_AUX_LD");
      if (plan.result.batch > 1) set<int64_t>(kDescEpilogueAuxBatchStride, plan.result.stride, "AUX_BATCH_STRIDE");
    }
    a_ = layout(plan.libraryA);
    b_ = layout(plan.libraryB);
    d_ = layout(plan.result);
  } catch (...) {
    release();
    throw;
  }
}

LibraryGemm::~LibraryGemm() { release(); }

void LibraryGemm::release() {
  for (cublaslt::MatrixLayout* layout : {a_, b_, d_}) {
    if (layout != nullptr) api_.MatrixLayoutDestroy(layout);
  }
  if (desc_ != nullptr) api_.MatmulDescDestroy(desc_);
}

void LibraryGemm::check(Status status, const char* what) const {
  if (status == kSuccess) return;
  throw DeviceError(std::string("cuBLASLt: ") + what + ": status " + std::to_string(status));
}

template <typename T> void LibraryGemm::set(DescAttribute attribute, T value, const char* what) {
  check(api_.MatmulDescSetAttribute(desc_, attribute, &value, sizeof value), what);
}

cublaslt::MatrixLayout* LibraryGemm::layout(const Layout& from) {
  cublaslt::MatrixLayout* made = nullptr;
  check(api_.MatrixLayoutCreate(&made, from.type, static_cast<uint64_t>(from.rows), static_cast<uint64_t>(from.columns),
                                from.lead),
        "MatrixLayoutCreate");
  if (from.batch > 1) {
    const auto batch = static_cast<int32_t>(from.batch);
    const Status counted = api_.MatrixLayoutSetAttribute(made, kLayoutBatchCount, &batch, sizeof batch);
    const Status strided =
        api_.MatrixLayoutSetAttribute(made, kLayoutStridedBatchOffset, &from.stride, sizeof from.stride);
    if (counted != kSuccess || strided != kSuccess) api_.MatrixLayoutDestroy(made);
    check(counted, "BATCH_COUNT");
    check(strided, "STRIDED_BATCH_OFFSET");
  }
  return made;
}

void LibraryGemm::setPointers(const GemmPointers& pointers) {
  if (hasVector_) set<const void*>(kDescBiasPointer, pointers.vector, "BIAS_POINTER");
  if (hasAux_) set<const void*>(kDescEpilogueAuxPointer, pointers.preActivation, "EPILOGUE_AUX_POINTER");
}

std::vector<Algorithm> LibraryGemm::proposals(const GemmPointers& pointers, size_t workspaceBytes, int most) {
  setPointers(pointers);
  Preference* preference = nullptr;
  check(api_.MatmulPreferenceCreate(&preference), "MatmulPreferenceCreate");
  const auto bytes = static_cast<uint64_t>(workspaceBytes);
  // Parts of k are kept in fp32, whatever the result's storage, because rounded parts would cost accuracy.
  const uint32_t reductions = result_ == kR32F ? kReductionComputeType | kReductionOutputType : kReductionComputeType;
  std::vector<HeuristicResult> results(static_cast<size_t>(most));
  int found = 0;
  const Status limited =
      api_.MatmulPreferenceSetAttribute(preference, kPreferenceMaxWorkspaceBytes, &bytes, sizeof bytes);
  const Status reduced =
      api_.MatmulPreferenceSetAttribute(preference, kPreferenceReductionSchemeMask, &reductions, sizeof reductions);
  const Status asked =
      api_.MatmulAlgoGetHeuristic(context_, desc_, a_, b_, d_, d_, preference, most, results.data(), &found);
  api_.MatmulPreferenceDestroy(preference);
  check(limited, "MAX_WORKSPACE_BYTES");
  check(reduced, "REDUCTION_SCHEME_MASK");
  std::vector<Algorithm> algorithms;
  // A gemm that the library cannot do is no error, because another plan or our own kernel computes it.
  if (asked != kSuccess) return algorithms;
  for (int i = 0; i < found; i++) {
    const HeuristicResult& result = results[static_cast<size_t>(i)];
    if (result.state == kSuccess && result.workspaceBytes <= workspaceBytes) algorithms.push_back(result.algorithm);
  }
  return algorithms;
}

bool LibraryGemm::accepts(const GemmPointers& pointers, const Algorithm& algorithm, size_t workspaceBytes) {
  setPointers(pointers);
  HeuristicResult result = {};
  const Status status = api_.MatmulAlgoCheck(context_, desc_, a_, b_, d_, d_, &algorithm, &result);
  return status == kSuccess && result.workspaceBytes <= workspaceBytes;
}

Status LibraryGemm::run(const GemmPointers& pointers, const Algorithm& algorithm, float alpha,
                        const GemmWorkspace& workspace, Stream stream) {
  setPointers(pointers);
  return api_.LibraryGemm(context_, desc_, &alpha, pointers.a, a_, pointers.b, b_, &beta_, pointers.c, d_, pointers.d,
                          d_, &algorithm, workspace.data, workspace.bytes, stream);
}

}  // namespace vitrail::cuda
