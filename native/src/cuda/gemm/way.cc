#include "way.h"

#include <cstring>
#include <optional>

#include "passes.h"
#include "row-sums.h"

namespace vitrail::cuda {

namespace {

using namespace cublaslt;

constexpr size_t kAlgorithmBytes = sizeof(Algorithm);

Storage storageOf(DataType type) { return type == kR16BF ? Storage::bf16 : Storage::f32; }

// The library's operand, as it is stored or converted into `scratch`.
const void* operand(const vitrail::Context& context, const Array& stored, bool converts, int64_t lead, int64_t stride,
                    const Layout& layout, std::optional<Scratch>& scratch) {
  if (!converts) return stored.data;
  scratch.emplace(context.memory, layout.elements() * bytesOf(layout.type));
  const int64_t batch = layout.stride == 0 ? 1 : layout.batch;
  const Array to{scratch->as<void>(), layout.elements(), storageOf(layout.type)};
  convert(context, {stored, layout.columns, layout.rows, lead, batch, stride},
          {to, layout.columns, layout.rows, layout.lead, batch, layout.stride});
  return to.data;
}

const void* biasVector(const vitrail::Context& context, const GemmTask& task, DataType type,
                       std::optional<Scratch>& scratch) {
  if (type == kR32F) return task.bias;
  const auto columns = static_cast<size_t>(task.n);
  scratch.emplace(context.memory, columns * bytesOf(type));
  const Array from{const_cast<float*>(task.bias), columns, Storage::f32};
  const Array to{scratch->as<void>(), columns, storageOf(type)};
  convert(context, {from, 1, task.n, task.n}, {to, 1, task.n, task.n});
  return to.data;
}

// Pointers with the same alignment as those of a run.
GemmPointers pointersFor(const GemmTask& task, const GemmPlan& plan) {
  GemmPointers pointers;
  pointers.a = task.b.data, pointers.b = task.a.data, pointers.c = pointers.d = task.c.data;
  pointers.vector = plan.sumsRows() ? task.rowSumsOfA : task.bias;
  pointers.preActivation = task.preActivation.data;
  return pointers;
}

}  // namespace

std::vector<Algorithm> Way::proposals(const GemmTask& task, size_t workspaceBytes, int most) {
  return matmul_.proposals(pointersFor(task, plan_), workspaceBytes, most);
}

bool Way::accepts(const GemmTask& task, const Algorithm& algorithm, size_t workspaceBytes) {
  return matmul_.accepts(pointersFor(task, plan_), algorithm, workspaceBytes);
}

Status Way::run(const vitrail::Context& context, const GemmTask& task, const GemmWorkspace& workspace) {
  std::optional<Scratch> a, b, bias, sums;
  GemmPointers pointers = pointersFor(task, plan_);
  pointers.a = operand(context, task.b, plan_.convertsB, task.ldb, task.strideB, plan_.libraryA, b);
  pointers.b = operand(context, task.a, plan_.convertsA, task.lda, task.strideA, plan_.libraryB, a);
  if (plan_.hasBias()) pointers.vector = biasVector(context, task, plan_.vectorType, bias);
  Array result = task.c;
  if (plan_.place == Place::preActivation) result = task.preActivation;
  if (plan_.place == Place::scratch) {
    sums.emplace(context.memory, plan_.result.elements() * bytesOf(plan_.result.type));
    result = {sums->as<void>(), plan_.result.elements(), storageOf(plan_.result.type)};
  }
  pointers.d = result.data;
  pointers.c = plan_.addend == Addend::residual ? task.residual.data : result.data;
  const Status status = matmul_.run(pointers, algorithm_, task.alpha, workspace, context.device.stream());
  if (status != kSuccess) return status;
  if (plan_.finishes) {
    const Matrices from{result, task.m, task.n, plan_.result.lead, task.batch, plan_.result.stride};
    finishGemm(context, from, restOf(task, plan_));
  }
  if (!plan_.sumsRows()) sumRowsOfA(context, task);
  return kSuccess;
}

std::string textOf(const Fusion& fusion, const Algorithm& algorithm) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text{kDigits[fusion.bits()], ':'};
  unsigned char bytes[kAlgorithmBytes];
  memcpy(bytes, &algorithm, sizeof bytes);
  for (unsigned char byte : bytes) text += {kDigits[byte / 16], kDigits[byte % 16]};
  return text;
}

bool parseWay(const std::string& text, Fusion& fusion, std::optional<Algorithm>& algorithm) {
  if (text.size() < 2 || text[1] != ':') return false;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1); };
  if (digit(text[0]) < 0) return false;
  fusion = Fusion::of(static_cast<unsigned>(digit(text[0])));
  algorithm.reset();
  if (text.compare(2, std::string::npos, "first") == 0) return true;
  if (text.size() != 2 + 2 * kAlgorithmBytes) return false;
  unsigned char bytes[kAlgorithmBytes];
  for (size_t i = 0; i < kAlgorithmBytes; i++) {
    const int high = digit(text[2 + 2 * i]), low = digit(text[3 + 2 * i]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<unsigned char>(high * 16 + low);
  }
  memcpy(&algorithm.emplace(), bytes, sizeof bytes);
  return true;
}

}  // namespace vitrail::cuda
