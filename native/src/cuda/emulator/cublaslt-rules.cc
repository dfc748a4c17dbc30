#include "cublaslt-rules.h"

namespace vitrail::cuda::cublaslt {

namespace {

// The table of types in the documentation of cublasLtMatmul().
bool typesFit(const MatmulDesc& desc, const MatrixLayout& a, const MatrixLayout& b, const MatrixLayout& d) {
  if (a.type != b.type) return false;
  if (a.type == kR16BF) return desc.compute == kCompute32F && (d.type == kR16BF || d.type == kR32F);
  return d.type == kR32F && (desc.compute == kCompute32F || desc.compute == kCompute32FFastTf32);
}

}  // namespace

bool isAligned(const void* data, size_t to) { return data != nullptr && reinterpret_cast<uintptr_t>(data) % to == 0; }

bool hasGelu(const MatmulDesc& desc) { return (desc.epilogue & kEpilogueGelu) != 0; }
bool hasAux(const MatmulDesc& desc) {
  return desc.epilogue == kEpilogueGeluAux || desc.epilogue == kEpilogueGeluAuxBias;
}
bool hasBias(const MatmulDesc& desc) { return (desc.epilogue & kEpilogueBias) != 0; }

namespace {

Status checkEpilogue(const MatmulDesc& desc, const MatrixLayout& d) {
  const uint32_t known[] = {kEpilogueDefault, kEpilogueBias,        kEpilogueGelu,  kEpilogueGeluBias,
                            kEpilogueGeluAux, kEpilogueGeluAuxBias, kEpilogueBGradB};
  bool isKnown = false;
  for (uint32_t epilogue : known) isKnown = isKnown || desc.epilogue == epilogue;
  if (!isKnown) return kNotSupported;
  if (hasBias(desc) || desc.epilogue == kEpilogueBGradB) {
    if (!isAligned(desc.vector, 16)) return kInvalidValue;
    if (desc.vectorType != d.type) return kNotSupported;
  }
  if (desc.epilogue == kEpilogueBGradB && d.batch != 1) return kNotSupported;
  if (!hasAux(desc)) return kSuccess;
  if (!isAligned(desc.aux, 16) || desc.auxLead % 8 != 0 || desc.auxLead < d.rows) return kInvalidValue;
  return d.batch > 1 && (desc.auxStride % 8 != 0 || desc.auxStride == 0) ? kInvalidValue : kSuccess;
}

}  // namespace

Status checkProduct(const MatmulDesc& desc, const MatrixLayout& a, const MatrixLayout& b, const MatrixLayout& c,
                    const MatrixLayout& d) {
  const bool turnsA = desc.operationA == kOpT, turnsB = desc.operationB == kOpT;
  const int64_t depth = turnsA ? a.rows : a.columns;
  if ((turnsA ? a.columns : a.rows) != d.rows || (turnsB ? b.rows : b.columns) != d.columns) return kInvalidValue;
  if ((turnsB ? b.columns : b.rows) != depth || depth == 0 || d.rows == 0 || d.columns == 0) return kInvalidValue;
  if (c.rows != d.rows || c.columns != d.columns || c.type != d.type) return kInvalidValue;
  for (const MatrixLayout* layout : {&a, &b, &c, &d}) {
    if (layout->lead < layout->rows || layout->batch != d.batch) return kInvalidValue;
  }
  if (!typesFit(desc, a, b, d)) return kNotSupported;
  return checkEpilogue(desc, d);
}

}  // namespace vitrail::cuda::cublaslt
