#include "plan.h"

#include <cstdio>

namespace vitrail::cuda {

namespace {

using namespace cublaslt;

// The alignment that cudaMalloc gives, which the library's heuristics assume by default.
constexpr uintptr_t kAlignment = 256;
// The leading dimension of a result must be a multiple of this if the values before GELU are stored too, in
// elements.
constexpr int64_t kAuxAlignment = 8;

bool isAligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % kAlignment == 0; }

DataType typeOf(Storage storage) { return storage == Storage::bf16 ? kR16BF : kR32F; }

int64_t roundUp(int64_t value, int64_t to) { return (value + to - 1) / to * to; }

// bf16 operands are multiplied as bf16 even if the task asks for fp32, because their products are exact in
// fp32.
bool multipliesBf16(const GemmTask& task) { return task.bf16 || (task.a.isBf16() && task.b.isBf16()); }

// An operand that we store row-major as [rows, columns]. Column-major, it is [columns, rows].
Layout operandLayout(DataType type, bool converts, int64_t rows, int64_t columns, int64_t lead, int64_t batch,
                     int64_t stride) {
  if (!converts) return {type, columns, rows, lead, batch, stride};
  const int64_t dense = roundUp(columns, kAuxAlignment);
  return {type, columns, rows, dense, batch, stride == 0 ? 0 : rows * dense};
}

bool auxFits(const GemmTask& task) {
  return task.ldc % kAuxAlignment == 0 && (task.batch == 1 || task.strideC % kAuxAlignment == 0);
}

Fusion fusionOf(const GemmTask& task, const Fusion& wanted, DataType result, bool convertsA) {
  const bool pre = task.preActivation.data != nullptr, fits = result == typeOf(task.c.storage);
  const bool residual = task.residual.data != nullptr;
  Fusion fusion;
  fusion.bias = wanted.bias && task.bias != nullptr;
  const bool hasAllBias = fusion.bias || task.bias == nullptr;
  fusion.gelu = wanted.gelu && task.activation == Activation::geluTanh && hasAllBias && fits && !residual &&
                !task.dropout.active() && (!pre || auxFits(task));
  // The library adds beta C before an epilogue's activation.
  fusion.residual = wanted.residual && residual && hasAllBias && fits && !pre && !task.dropout.active() &&
                    task.activation == Activation::none;
  // The sums use the bias's pointer and have the result's type. Whether alpha scales them is not documented.
  fusion.sums = wanted.sums && task.rowSumsOfA != nullptr && task.bias == nullptr && !fusion.gelu && task.alpha == 1 &&
                result == kR32F && !convertsA && task.batch == 1;
  return fusion;
}

Epilogue epilogueOf(const GemmTask& task, const Fusion& fusion) {
  const bool pre = task.preActivation.data != nullptr;
  if (fusion.sums) return kEpilogueBGradB;
  if (fusion.gelu && fusion.bias) return pre ? kEpilogueGeluAuxBias : kEpilogueGeluBias;
  if (fusion.gelu) return pre ? kEpilogueGeluAux : kEpilogueGelu;
  return fusion.bias ? kEpilogueBias : kEpilogueDefault;
}

bool leavesNothing(const GemmTask& task, const Fusion& fusion) {
  return (task.bias == nullptr || fusion.bias) && (task.activation == Activation::none || fusion.gelu) &&
         (!task.preActivation || fusion.gelu) && (!task.residual || fusion.residual) && !task.dropout.active();
}

// The memory for the library's result if a pass follows.
Place placeOf(const GemmTask& task, const Fusion& fusion, DataType result) {
  if (result != typeOf(task.c.storage)) return Place::scratch;
  const bool isPre = task.bias == nullptr || fusion.bias;
  if (task.preActivation && isPre) return Place::preActivation;
  return task.residual.data == task.c.data ? Place::scratch : Place::c;
}

}  // namespace

bool suitsLibrary(const GemmTask& task) {
  const void* const arrays[] = {task.a.data,        task.b.data, task.c.data,    task.preActivation.data,
                                task.residual.data, task.bias,   task.rowSumsOfA};
  for (const void* array : arrays) {
    if (!isAligned(array)) return false;
  }
  return task.m > 0 && task.n > 0 && task.k > 0 && task.batch > 0;
}

GemmPlan planGemm(const GemmTask& task, const Fusion& wanted, bool tf32) {
  const bool bf16 = multipliesBf16(task);
  const DataType operand = bf16 ? kR16BF : kR32F;
  // The library stores gemms of fp32 operands only as fp32, and those of bf16 operands as either.
  const DataType result = bf16 ? typeOf(task.c.storage) : kR32F;
  GemmPlan plan;
  plan.compute = tf32 && !bf16 ? kCompute32FFastTf32 : kCompute32F;
  plan.convertsA = typeOf(task.a.storage) != operand;
  plan.convertsB = typeOf(task.b.storage) != operand;
  plan.libraryA = operandLayout(operand, plan.convertsB, task.transposeB ? task.n : task.k,
                                task.transposeB ? task.k : task.n, task.ldb, task.batch, task.strideB);
  plan.libraryB = operandLayout(operand, plan.convertsA, task.transposeA ? task.k : task.m,
                                task.transposeA ? task.m : task.k, task.lda, task.batch, task.strideA);
  plan.transposeA = task.transposeB;
  plan.transposeB = task.transposeA;
  plan.fusion = fusionOf(task, wanted, result, plan.convertsA);
  plan.epilogue = epilogueOf(task, plan.fusion);
  plan.vectorType = result;
  const bool fits = result == typeOf(task.c.storage);
  plan.finishes = !fits || !leavesNothing(task, plan.fusion);
  if (plan.finishes) plan.place = placeOf(task, plan.fusion, result);
  if (plan.fusion.residual) plan.addend = Addend::residual;
  if (task.accumulate && !plan.finishes) plan.addend = Addend::c;
  plan.result = {result, task.n, task.m, task.ldc, task.batch, task.strideC};
  if (plan.place == Place::scratch) {
    plan.result.lead = roundUp(task.n, kAuxAlignment);
    plan.result.stride = task.m * plan.result.lead;
  }
  return plan;
}

std::vector<GemmPlan> candidatePlans(const GemmTask& task, int capability, bool tf32) {
  // GELU in the epilogue is faster from Hopper on (llm.c, train_gpt2.cu: gelu_fusion). With fused sums the
  // library cannot split k, which is slower for weight gradients, so only timings choose them.
  const Fusion usual{true, capability >= 90, true, false};
  Fusion otherGelu = usual, noResidual = usual, withSums = usual;
  otherGelu.gelu = !usual.gelu;
  noResidual.residual = false;
  withSums.sums = true;
  std::vector<GemmPlan> plans;
  for (const Fusion& wanted : {usual, otherGelu, noResidual, withSums, Fusion::of(0)}) {
    const GemmPlan plan = planGemm(task, wanted, tf32);
    bool known = false;
    for (const GemmPlan& other : plans) known = known || other.fusion.bits() == plan.fusion.bits();
    if (!known) plans.push_back(plan);
  }
  return plans;
}

GemmTask restOf(const GemmTask& task, const GemmPlan& plan) {
  GemmTask rest = task;
  rest.alpha = 1;
  if (plan.fusion.bias) rest.bias = nullptr;
  if (plan.fusion.residual) rest.residual = {};
  if (plan.place == Place::preActivation) rest.preActivation = {};
  return rest;
}

std::string keyOf(const GemmTask& task, bool tf32) {
  const auto stored = [](const Array& array) { return array.isBf16() ? "bf16" : "f32"; };
  const auto wide = [](int64_t value) { return static_cast<long long>(value); };
  char text[400];
  snprintf(text, sizeof text, "%lldx%lldx%lld %c%c %s,%s>%s %s ld %lld,%lld,%lld", wide(task.m), wide(task.n),
           wide(task.k), task.transposeA ? 't' : 'n', task.transposeB ? 't' : 'n', stored(task.a), stored(task.b),
           stored(task.c), multipliesBf16(task) ? "bf16" : (tf32 ? "tf32" : "fp32"), wide(task.lda), wide(task.ldb),
           wide(task.ldc));
  std::string key = text;
  if (task.batch > 1) {
    snprintf(text, sizeof text, " batch %lld by %lld,%lld,%lld", wide(task.batch), wide(task.strideA),
             wide(task.strideB), wide(task.strideC));
    key += text;
  }
  if (task.alpha != 1) key += " scaled";
  if (task.accumulate) key += " accumulate";
  if (task.bias != nullptr) key += " bias";
  if (task.preActivation) key += " pre";
  if (task.activation == Activation::geluTanh) key += " gelu-tanh";
  if (task.activation == Activation::geluErf) key += " gelu-erf";
  if (task.dropout.active()) key += " dropout";
  if (task.residual) key += task.residual.data == task.c.data ? " residual-in-place" : " residual";
  if (task.rowSumsOfA != nullptr) key += " sums";
  return key;
}

}  // namespace vitrail::cuda
