// Attention and its gradient: on tensor cores where operands are bf16 and stored so, else in fp32 arithmetic.
#include "../../kernels/attention.h"

#include "../attention/general.h"

namespace vitrail::cuda {

namespace {

using namespace attention;

void forward(const Context& context, const AttentionShape& s, Array qkv, Array out, float* logSumExp) {
  GeneralTask task = {s, scaleOf(s), qkv, out, logSumExp};
  runGeneralForward(context, task);
}

void backward(const Context& context, const AttentionShape& s, Array qkv, Array out, const float* logSumExp, Array dOut,
              Array dQkv) {
  GeneralTask task = {s, scaleOf(s), qkv, out, const_cast<float*>(logSumExp), dOut, dQkv};
  runGeneralBackward(context, task);
}

}  // namespace

extern const AttentionKernels attentionKernels;
const AttentionKernels attentionKernels = {forward, backward};

}  // namespace vitrail::cuda
