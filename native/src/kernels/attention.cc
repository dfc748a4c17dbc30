#include "attention.h"

#include "attention-head.h"
#include "attention-softmax.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

// The most queries of a task in the forward pass.
constexpr size_t kQueriesOfTask = 512;

template <bool kPairs> void headForward(const Head& h, const Array& qkv, const Array& out, float* logSumExp, Block task,
                                        Ahead ahead, float* scratch) {
  const AttentionShape& s = h.shape;
  const ForwardLayout<kPairs> at(s);
  const size_t words = rowOfPacked<kPairs>(s.width), wide = padded(s.width);
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(s.width));
  const HeadRows queries = h.packed(qkv, 0), to = h.plain(out, false);
  packRows<kPairs>(h.packed(qkv, 1), s.tokens, scratch + at.keys);
  packColumns<kPairs>(h.packed(qkv, 2), s.tokens, scratch + at.values);
  for (size_t index = 0; index < blocksOf(task.count); index++) {
    const Block block = blockOf(task.count, index);
    const size_t first = task.first + block.first, vectors = vectorsOf(block.count);
    packTransposed<kPairs>(queries.from(first), block.count, scratch + at.queries, scratch + at.space);
    float* scores = scratch + at.scores;
    multiply<kPairs>(s.tokens, vectors, wordsOf<kPairs>(s.width), {scratch + at.keys, words, 1}, scratch + at.queries,
                     scores, kStride, false, ahead);
    softmaxColumns<kPairs>(scores, s.tokens, kStride, vectors, scale, s.bf16, scratch + at.inverse,
                           scratch + at.logSum);
    multiply<kPairs>(block.count, vectorsOf(s.width), wordsOf<kPairs>(s.tokens), {scores, 1, kStride},
                     scratch + at.values, scratch + at.out, wide, false, ahead);
    memcpy(logSumExp + h.statistics() + first, scratch + at.logSum, block.count * sizeof(float));
    for (size_t row = 0; row < block.count; row++) {
      writeRow(to, first + row, scratch + at.out + row * wide, scratch[at.inverse + row]);
    }
  }
}

template <bool kPairs>
void forwardAs(const Context& context, const AttentionShape& s, Array qkv, Array out, float* logSumExp) {
  const ForwardLayout<kPairs> layout(s);
  const size_t threads = static_cast<size_t>(context.pool.threads());
  const Scratch scratch(context.memory, threads * layout.total * sizeof(float));
  const size_t heads = s.images * s.heads, parts = (s.tokens + kQueriesOfTask - 1) / kQueriesOfTask;
  context.pool.run(static_cast<int>(heads * parts), [&](int chunk, int thread) {
    const size_t part = static_cast<size_t>(chunk) % parts, index = static_cast<size_t>(chunk) / parts;
    const size_t first = part * kQueriesOfTask, left = s.tokens - first;
    const Block task = {first, left < kQueriesOfTask ? left : kQueriesOfTask};
    const Head head(s, index);
    Ahead ahead;
    ask(ahead, head.plain(out, false).from(first), task.count, Ahead::toWrite);
    for (size_t i = 0; i < 3 && index + threads < heads; i++) {
      ask(ahead, Head(s, index + threads).packed(qkv, i), s.tokens, Ahead::toRead);
    }
    headForward<kPairs>(head, qkv, out, logSumExp, task, ahead,
                        scratch.as<float>() + static_cast<size_t>(thread) * layout.total);
  });
}

struct BackwardOperands {
  Array qkv, out;
  const float* logSumExp;
  Array dOut, dQkv;
};

// Computes delta, the sum of dOut x out of each query, and logSum. Both are padded with zeros.
void statisticsOf(const Head& h, const BackwardOperands& o, size_t first, size_t count, float* logSum, float* delta) {
  const HeadRows out = h.plain(o.out, false).from(first), dOut = h.plain(o.dOut, false).from(first);
  memset(logSum, 0, kStride * sizeof(float));
  memset(delta, 0, kStride * sizeof(float));
  memcpy(logSum, o.logSumExp + h.statistics() + first, count * sizeof(float));
  for (size_t row = 0; row < count; row++) {
    Floats sum{};
    for (size_t at = 0; at < out.width; at += kLanes) sum += vectorOf(out, row, at) * vectorOf(dOut, row, at);
    delta[row] = sumOfLanes(sum);
  }
}

template <bool kPairs> void headBackward(const Head& h, const BackwardOperands& o, Ahead ahead, float* scratch) {
  const AttentionShape& s = h.shape;
  const BackwardLayout<kPairs> at(s);
  const size_t words = rowOfPacked<kPairs>(s.width), wide = padded(s.width), steps = wordsOf<kPairs>(s.width);
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(s.width));
  packRows<kPairs>(h.packed(o.qkv, 1), s.tokens, scratch + at.keys);
  packRows<kPairs>(h.packed(o.qkv, 2), s.tokens, scratch + at.values);
  packColumns<kPairs>(h.packed(o.qkv, 1), s.tokens, scratch + at.keyColumns);
  float *scores = scratch + at.scores, *gradients = scratch + at.gradients;
  for (size_t index = 0; index < blocksOf(s.tokens); index++) {
    const Block block = blockOf(s.tokens, index);
    const size_t vectors = vectorsOf(block.count), width = vectorsOf(s.width);
    const HeadRows queries = h.packed(o.qkv, 0).from(block.first), dOut = h.plain(o.dOut, s.bf16).from(block.first);
    packTransposed<kPairs>(queries, block.count, scratch + at.queries, scratch + at.space);
    packTransposed<kPairs>(dOut, block.count, scratch + at.dOut, scratch + at.space);
    packColumns<kPairs>(queries, block.count, scratch + at.queryColumns);
    packColumns<kPairs>(dOut, block.count, scratch + at.dOutColumns);
    statisticsOf(h, o, block.first, block.count, scratch + at.logSum, scratch + at.delta);
    multiply<kPairs>(s.tokens, vectors, steps, {scratch + at.keys, words, 1}, scratch + at.queries, scores, kStride,
                     false, ahead);
    multiply<kPairs>(s.tokens, vectors, steps, {scratch + at.values, words, 1}, scratch + at.dOut, gradients, kStride,
                     false, ahead);
    softmaxGradient<kPairs>({scores, gradients, scratch + at.gradientsOfKeys, s.tokens, block.count, kStride, scale,
                             s.bf16, scratch + at.logSum, scratch + at.delta});
    const size_t sums = wordsOf<kPairs>(block.count);
    multiply<kPairs>(s.tokens, width, sums, {scores, kStride, 1}, scratch + at.dOutColumns, scratch + at.dValues, wide,
                     index > 0, ahead);
    multiply<kPairs>(s.tokens, width, sums, {gradients, kStride, 1}, scratch + at.queryColumns, scratch + at.dKeys,
                     wide, index > 0, ahead);
    const float* ofKeys = kPairs ? scratch + at.gradientsOfKeys : gradients;
    multiply<kPairs>(block.count, width, wordsOf<kPairs>(s.tokens), {ofKeys, 1, kStride}, scratch + at.keyColumns,
                     scratch + at.dQueries, wide, false, ahead);
    const HeadRows dQueries = h.packed(o.dQkv, 0).from(block.first);
    for (size_t row = 0; row < block.count; row++) writeRow(dQueries, row, scratch + at.dQueries + row * wide, scale);
  }
  const HeadRows dKeys = h.packed(o.dQkv, 1), dValues = h.packed(o.dQkv, 2);
  for (size_t row = 0; row < s.tokens; row++) {
    writeRow(dKeys, row, scratch + at.dKeys + row * wide, scale);
    writeRow(dValues, row, scratch + at.dValues + row * wide, 1);
  }
}

template <bool kPairs>
void backwardAs(const Context& context, const AttentionShape& s, const BackwardOperands& operands) {
  const BackwardLayout<kPairs> layout(s);
  const size_t threads = static_cast<size_t>(context.pool.threads());
  const Scratch scratch(context.memory, threads * layout.total * sizeof(float));
  const size_t heads = s.images * s.heads;
  context.pool.run(static_cast<int>(heads), [&](int chunk, int thread) {
    const size_t index = static_cast<size_t>(chunk);
    const Head head(s, index);
    Ahead ahead;
    for (size_t i = 0; i < 3; i++) ask(ahead, head.packed(operands.dQkv, i), s.tokens, Ahead::toWrite);
    if (index + threads < heads) {
      const Head next(s, index + threads);
      for (size_t i = 0; i < 3; i++) ask(ahead, next.packed(operands.qkv, i), s.tokens, Ahead::toRead);
      ask(ahead, next.plain(operands.out, false), s.tokens, Ahead::toRead);
      ask(ahead, next.plain(operands.dOut, false), s.tokens, Ahead::toRead);
    }
    headBackward<kPairs>(head, operands, ahead, scratch.as<float>() + static_cast<size_t>(thread) * layout.total);
  });
}

void forward(const Context& context, const AttentionShape& s, Array qkv, Array out, float* logSumExp) {
  if (kHasPairs && s.bf16) return forwardAs<kHasPairs>(context, s, qkv, out, logSumExp);
  forwardAs<false>(context, s, qkv, out, logSumExp);
}

void backward(const Context& context, const AttentionShape& s, Array qkv, Array out, const float* logSumExp, Array dOut,
              Array dQkv) {
  const BackwardOperands operands = {qkv, out, logSumExp, dOut, dQkv};
  if (kHasPairs && s.bf16) return backwardAs<kHasPairs>(context, s, operands);
  backwardAs<false>(context, s, operands);
}

}  // namespace

extern const AttentionKernels attentionKernels;
const AttentionKernels attentionKernels = {forward, backward};

}  // namespace vitrail::VITRAIL_VARIANT
