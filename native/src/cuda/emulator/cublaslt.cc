// Does on a processor what cuBLASLt's functions do according to their documentation, and as strictly. It is
// for tests of the code around the library, and contains nothing of the library itself.
#include <cmath>
#include <cstring>

#include "../gemm/emulated-library.h"
#include "cublaslt-rules.h"

namespace vitrail::cuda {

namespace {

using namespace cublaslt;

// The emulated algorithms. Their number is the first word of an Algorithm.
enum Number : uint64_t { kPlain = 11, kSplit = 12, kInPlace = 13, kHungry = 14, kUnwilling = 15 };
constexpr size_t kSplitBytes = size_t{1} << 20, kHungryBytes = size_t{1} << 30;

size_t workspaceOf(const Algorithm& algorithm) {
  return algorithm.data[0] == kSplit ? kSplitBytes : (algorithm.data[0] == kHungry ? kHungryBytes : 0);
}

template <typename T> Status assign(T& to, const void* value, size_t bytes) {
  if (value == nullptr || bytes != sizeof(T)) return kInvalidValue;
  memcpy(&to, value, sizeof(T));
  return kSuccess;
}

size_t GetVersion() { return 999900; }
Status Create(cublaslt::Context** made) {
  *made = new cublaslt::Context;
  return kSuccess;
}
Status MatmulDescCreate(MatmulDesc** made, ComputeType compute, DataType scale) {
  if (scale != kR32F) return kNotSupported;
  *made = new MatmulDesc;
  (*made)->compute = compute;
  return kSuccess;
}
Status MatrixLayoutCreate(MatrixLayout** made, DataType type, uint64_t rows, uint64_t columns, int64_t lead) {
  *made = new MatrixLayout{type, static_cast<int64_t>(rows), static_cast<int64_t>(columns), lead};
  return kSuccess;
}
Status MatmulPreferenceCreate(Preference** made) {
  *made = new Preference;
  return kSuccess;
}
template <typename T> Status destroy(T* made) {
  delete made;
  return kSuccess;
}

Status MatmulDescSetAttribute(MatmulDesc* desc, DescAttribute attribute, const void* value, size_t bytes) {
  switch (attribute) {
    case kDescTransA: return assign(desc->operationA, value, bytes);
    case kDescTransB: return assign(desc->operationB, value, bytes);
    case kDescEpilogue: return assign(desc->epilogue, value, bytes);
    case kDescBiasPointer: return assign(desc->vector, value, bytes);
    case kDescBiasDataType: return assign(desc->vectorType, value, bytes);
    case kDescEpilogueAuxPointer: return assign(desc->aux, value, bytes);
    case kDescEpilogueAuxLd: return assign(desc->auxLead, value, bytes);
    case kDescEpilogueAuxBatchStride: return assign(desc->auxStride, value, bytes);
  }
  return kInvalidValue;
}
Status MatrixLayoutSetAttribute(MatrixLayout* layout, LayoutAttribute attribute, const void* value, size_t bytes) {
  switch (attribute) {
    case kLayoutBatchCount: return assign(layout->batch, value, bytes);
    case kLayoutStridedBatchOffset: return assign(layout->stride, value, bytes);
  }
  return kInvalidValue;
}
Status MatmulPreferenceSetAttribute(Preference* preference, PreferenceAttribute attribute, const void* value,
                                    size_t bytes) {
  switch (attribute) {
    case kPreferenceMaxWorkspaceBytes: return assign(preference->workspaceBytes, value, bytes);
    case kPreferenceReductionSchemeMask: return assign(preference->reductions, value, bytes);
  }
  return kInvalidValue;
}

Status MatmulAlgoCheck(cublaslt::Context*, MatmulDesc* desc, MatrixLayout* a, MatrixLayout* b, MatrixLayout* c,
                       MatrixLayout* d, const Algorithm* algorithm, HeuristicResult* result) {
  const Status status = checkProduct(*desc, *a, *b, *c, *d);
  if (algorithm->data[0] < kPlain || algorithm->data[0] > kUnwilling) return kInvalidValue;
  *result = {*algorithm, workspaceOf(*algorithm), status, 1.0f, {}};
  return status;
}

// The algorithm that refuses comes first, because a real proposal may also refuse to run.
Status MatmulAlgoGetHeuristic(cublaslt::Context*, MatmulDesc* desc, MatrixLayout* a, MatrixLayout* b, MatrixLayout* c,
                              MatrixLayout* d, Preference* preference, int wanted, HeuristicResult results[],
                              int* found) {
  *found = 0;
  const Status status = checkProduct(*desc, *a, *b, *c, *d);
  if (status != kSuccess) return status;
  for (const Number number : {kUnwilling, kInPlace, kHungry, kPlain, kSplit}) {
    const Algorithm algorithm = {{number}};
    if (number == kInPlace && (preference->reductions & 1) == 0) continue;
    if (number == kSplit && (preference->reductions & kReductionComputeType) == 0) continue;
    if (workspaceOf(algorithm) > preference->workspaceBytes || *found == wanted) continue;
    results[(*found)++] = {algorithm, workspaceOf(algorithm), kSuccess, 1.0f, {}};
  }
  return kSuccess;
}

float widened(uint16_t half) {
  const uint32_t word = static_cast<uint32_t>(half) << 16;
  float value;
  memcpy(&value, &word, sizeof value);
  return value;
}

// Rounds to the nearest value without the lowest `dropped` bits, halves to even.
uint32_t roundedWord(float value, int dropped) {
  uint32_t word;
  memcpy(&word, &value, sizeof word);
  if ((word & 0x7fffffff) > 0x7f800000) return word | 0x400000;
  const uint32_t half = uint32_t{1} << (dropped - 1);
  return (word + half - 1 + ((word >> dropped) & 1)) >> dropped << dropped;
}

float rounded(float value, int dropped) {
  const uint32_t word = roundedWord(value, dropped);
  memcpy(&value, &word, sizeof value);
  return value;
}

float load(DataType type, const void* data, int64_t at) {
  return type == kR16BF ? widened(static_cast<const uint16_t*>(data)[at]) : static_cast<const float*>(data)[at];
}
void store(DataType type, void* data, int64_t at, float value) {
  if (type == kR16BF) static_cast<uint16_t*>(data)[at] = static_cast<uint16_t>(roundedWord(value, 16) >> 16);
  else static_cast<float*>(data)[at] = value;
}

// op(x)[row, column] of one matrix of a batch.
struct Operand {
  const MatrixLayout& layout;
  const void* data;
  bool turned, tf32;
  int64_t first;

  double at(int64_t row, int64_t column) const {
    const int64_t i = turned ? column : row, j = turned ? row : column;
    const float value = load(layout.type, data, first + j * layout.lead + i);
    return tf32 ? rounded(value, 13) : value;
  }
};

float gelu(float x) { return 0.5f * x * (1.0f + std::tanh(0.7978845608f * (x + 0.044715f * x * x * x))); }

Status LibraryGemm(cublaslt::Context*, MatmulDesc* desc, const void* alphaAt, const void* a, MatrixLayout* layoutA,
                   const void* b, MatrixLayout* layoutB, const void* betaAt, const void* c, MatrixLayout* layoutC,
                   void* d, MatrixLayout* layoutD, const Algorithm* algorithm, void* workspace, size_t workspaceBytes,
                   Stream) {
  const Status status = checkProduct(*desc, *layoutA, *layoutB, *layoutC, *layoutD);
  if (status != kSuccess) return status;
  if (algorithm->data[0] == kUnwilling) return kNotSupported;
  if (workspaceBytes < workspaceOf(*algorithm) || !isAligned(workspace, 256)) return kInvalidValue;
  if (!isAligned(a, 16) || !isAligned(b, 16) || !isAligned(c, 16) || !isAligned(d, 16)) return kInvalidValue;
  const float alpha = *static_cast<const float*>(alphaAt), beta = *static_cast<const float*>(betaAt);
  const bool tf32 = desc->compute == kCompute32FFastTf32;
  const bool turnsA = desc->operationA == kOpT, turnsB = desc->operationB == kOpT;
  const int64_t depth = turnsA ? layoutA->rows : layoutA->columns;
  for (int64_t matrix = 0; matrix < layoutD->batch; matrix++) {
    const Operand left{*layoutA, a, turnsA, tf32, matrix * layoutA->stride};
    const Operand right{*layoutB, b, turnsB, tf32, matrix * layoutB->stride};
    for (int64_t column = 0; column < layoutD->columns; column++) {
      for (int64_t row = 0; row < layoutD->rows; row++) {
        double sum = 0;
        for (int64_t k = 0; k < depth; k++) sum += left.at(row, k) * right.at(k, column);
        float y = alpha * static_cast<float>(sum);
        // C is not read if beta is 0.
        if (beta != 0) y += beta * load(layoutC->type, c, matrix * layoutC->stride + column * layoutC->lead + row);
        if (hasBias(*desc)) y += load(layoutD->type, desc->vector, row);
        if (hasAux(*desc)) store(layoutD->type, desc->aux, matrix * desc->auxStride + column * desc->auxLead + row, y);
        if (hasGelu(*desc)) y = gelu(y);
        store(layoutD->type, d, matrix * layoutD->stride + column * layoutD->lead + row, y);
      }
      if (desc->epilogue != kEpilogueBGradB) continue;
      double sum = 0;
      for (int64_t k = 0; k < depth; k++) sum += right.at(k, column);
      store(layoutD->type, const_cast<void*>(desc->vector), column, static_cast<float>(sum));
    }
  }
  return kSuccess;
}

const Api kApi = {GetVersion,
                  Create,
                  destroy<cublaslt::Context>,
                  MatmulDescCreate,
                  destroy<MatmulDesc>,
                  MatmulDescSetAttribute,
                  MatrixLayoutCreate,
                  destroy<MatrixLayout>,
                  MatrixLayoutSetAttribute,
                  MatmulPreferenceCreate,
                  destroy<Preference>,
                  MatmulPreferenceSetAttribute,
                  MatmulAlgoGetHeuristic,
                  MatmulAlgoCheck,
                  LibraryGemm};

}  // namespace

GemmLibrary emulatedGemmLibrary() { return {&kApi, "cublaslt", "emulated", GetVersion()}; }

}  // namespace vitrail::cuda
