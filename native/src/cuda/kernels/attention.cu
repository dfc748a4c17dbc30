// Attention and its gradient: on tensor cores if operands are stored as bf16, else in fp32 arithmetic.
#include "../../kernels/attention.h"

#include <type_traits>

#include "../attention/general.h"
#include "../attention/matrix-backward.h"
#include "../attention/matrix-forward.h"

namespace vitrail::cuda {

namespace {

using namespace attention;

// Copies take 16 bytes at a time; a part of a buffer may begin anywhere.
bool isOfChunks(const Array& x) { return x.isBf16() && reinterpret_cast<uintptr_t>(x.data) % kChunkBytes == 0; }

bool takesMatrices(const AttentionShape& s) { return s.bf16 && s.width % kChunk == 0 && s.width <= 128; }

// Calls body with the width that kernels are compiled for, as the value of a type.
template <typename Body> void withWidth(size_t width, Body body) {
  if (width <= 32) body(std::integral_constant<int, 32>());
  else if (width <= 64) body(std::integral_constant<int, 64>());
  else if (width <= 80) body(std::integral_constant<int, 80>());
  else body(std::integral_constant<int, 128>());
}

// Shapes without tokens start no kernel, because kernels divide by the number of tokens.
bool isEmpty(const AttentionShape& s) { return s.images == 0 || s.tokens == 0; }

void forward(const Context& context, const AttentionShape& s, Array qkv, Array out, float* logSumExp) {
  if (isEmpty(s)) return;
  if (!takesMatrices(s) || !isOfChunks(qkv) || !isOfChunks(out)) {
    return runGeneralForward(context, {s, scaleOf(s), qkv, out, logSumExp});
  }
  const MatrixForwardTask task = {s, qkv, out, logSumExp, scaleOf(s) * kLog2OfE, 0, 0, 0, 0};
  withWidth(s.width, [&](auto width) { launchMatrixForward<decltype(width)::value>(context, task); });
}

void backward(const Context& context, const AttentionShape& s, Array qkv, Array out, const float* logSumExp, Array dOut,
              Array dQkv) {
  if (isEmpty(s)) return;
  if (!takesMatrices(s) || !isOfChunks(qkv) || !isOfChunks(out) || !isOfChunks(dOut) || !isOfChunks(dQkv)) {
    return runGeneralBackward(context, {s, scaleOf(s), qkv, out, const_cast<float*>(logSumExp), dOut, dQkv});
  }
  const MatrixBackwardTask task = {s, qkv, out, logSumExp, dOut, dQkv, nullptr, 0, scaleOf(s) * kLog2OfE, 0, 0, 0};
  withWidth(s.width, [&](auto width) { launchMatrixBackward<decltype(width)::value>(context, task); });
}

}  // namespace

extern const AttentionKernels attentionKernels;
const AttentionKernels attentionKernels = {forward, backward};

}  // namespace vitrail::cuda
