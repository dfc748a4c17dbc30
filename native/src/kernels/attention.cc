#include "attention.h"

#include "attention-softmax.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

// Vectors of queries that are worked on at a time: their scores stay in the second-level cache.
constexpr size_t kMostVectors = 4;
// Queries of a task on the way forward, at most.
constexpr size_t kQueriesOfTask = 512;

// Queries [first, first + count) of a head, in whole panels but for the last.
struct Block {
  size_t first, count;
};
size_t blocksOf(size_t queries) { return (vectorsOf(queries) + kMostVectors - 1) / kMostVectors; }
Block blockOf(size_t queries, size_t index) {
  const size_t panels = (vectorsOf(queries) + kPanel - 1) / kPanel, blocks = blocksOf(queries);
  const size_t first = index * panels / blocks * kPanel * kLanes;
  const size_t end = (index + 1) * panels / blocks * kPanel * kLanes;
  return {first, (end < queries ? end : queries) - first};
}

// Where a task has what, in floats from its thread's scratch on. All are multiples of a vector.
struct Layout {
  size_t total = 0;
  size_t take(size_t floats) {
    const size_t at = total;
    total += padded(floats);
    return at;
  }
};

struct Head {
  const AttentionShape& shape;
  size_t image, head;
  size_t width() const { return shape.heads * shape.width; }
  // part: 0 queries, 1 keys, 2 values.
  HeadRows packed(const Array& qkv, size_t part) const {
    const size_t row = 3 * width();
    return {qkv, image * shape.tokens * row + part * width() + head * shape.width, row, shape.width, shape.bf16};
  }
  HeadRows plain(const Array& x, bool round) const {
    return {x, image * shape.tokens * width() + head * shape.width, width(), shape.width, round};
  }
  size_t statistics() const { return (image * shape.heads + head) * shape.tokens; }
};

// A row of the tensor = factor x row of floats.
void writeRow(const HeadRows& to, size_t row, const float* from, float factor) {
  const size_t element = to.first + row * to.stride;
  eachVectorOfRow(to.width, [&](size_t at, size_t count) {
    const Floats v = load(from + at) * factor;
    if (!to.tensor.isBf16()) storeUpTo(to.tensor.f32() + element + at, v, count);
    else if (count == kLanes) storeBf16(to.tensor.bf16() + element + at, v);
    else storeSomeBf16(to.tensor.bf16() + element + at, v, count);
  });
}

constexpr size_t kStride = kMostVectors * kLanes;

template <bool kPairs> struct ForwardLayout : Layout {
  size_t keys, values, queries, space, scores, out, inverse, logSum;
  explicit ForwardLayout(const AttentionShape& s) {
    const size_t words = rowOfPacked<kPairs>(s.width);
    keys = take(s.tokens * words);
    values = take(wordsOf<kPairs>(s.tokens) * padded(s.width));
    queries = take(kStride * words);
    space = take(kLanes * (words + kLanes));
    scores = take(s.tokens * kStride);
    out = take(kStride * padded(s.width));
    inverse = take(kStride);
    logSum = take(kStride);
  }
};

template <bool kPairs>
void headForward(const Head& h, const Array& qkv, const Array& out, float* logSumExp, Block task, float* scratch) {
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
                     scores, kStride, false);
    softmaxColumns<kPairs>(scores, s.tokens, kStride, vectors, scale, s.bf16, scratch + at.inverse, scratch + at.logSum);
    multiply<kPairs>(block.count, vectorsOf(s.width), wordsOf<kPairs>(s.tokens), {scores, 1, kStride},
                     scratch + at.values, scratch + at.out, wide, false);
    memcpy(logSumExp + h.statistics() + first, scratch + at.logSum, block.count * sizeof(float));
    for (size_t row = 0; row < block.count; row++) {
      writeRow(to, first + row, scratch + at.out + row * wide, scratch[at.inverse + row]);
    }
  }
}

template <bool kPairs>
void forwardAs(const Context& context, const AttentionShape& s, Array qkv, Array out, float* logSumExp) {
  const ForwardLayout<kPairs> layout(s);
  const Scratch scratch(context.memory, static_cast<size_t>(context.pool.threads()) * layout.total * sizeof(float));
  const size_t parts = (s.tokens + kQueriesOfTask - 1) / kQueriesOfTask;
  context.pool.run(static_cast<int>(s.images * s.heads * parts), [&](int chunk, int thread) {
    const size_t index = static_cast<size_t>(chunk), part = index % parts, head = index / parts;
    const size_t first = part * kQueriesOfTask, left = s.tokens - first;
    headForward<kPairs>({s, head / s.heads, head % s.heads}, qkv, out, logSumExp,
                        {first, left < kQueriesOfTask ? left : kQueriesOfTask},
                        scratch.as<float>() + static_cast<size_t>(thread) * layout.total);
  });
}

template <bool kPairs> struct BackwardLayout : Layout {
  size_t keys, values, keyColumns, dKeys, dValues;
  // Of a block of queries.
  size_t queries, queryColumns, dOut, dOutColumns, dQueries, space, scores, gradients, gradientsOfKeys, logSum, delta;
  explicit BackwardLayout(const AttentionShape& s) {
    const size_t words = rowOfPacked<kPairs>(s.width), wide = padded(s.width);
    keys = take(s.tokens * words);
    values = take(s.tokens * words);
    keyColumns = take(wordsOf<kPairs>(s.tokens) * wide);
    dKeys = take(s.tokens * wide);
    dValues = take(s.tokens * wide);
    queries = take(kStride * words);
    queryColumns = take(wordsOf<kPairs>(kStride) * wide);
    dOut = take(kStride * words);
    dOutColumns = take(wordsOf<kPairs>(kStride) * wide);
    dQueries = take(kStride * wide);
    space = take(kLanes * (words + kLanes));
    scores = take(s.tokens * kStride);
    gradients = take(s.tokens * kStride);
    gradientsOfKeys = take(kPairs ? wordsOf<kPairs>(s.tokens) * kStride : 0);
    logSum = take(kStride);
    delta = take(kStride);
  }
};

struct BackwardOperands {
  Array qkv, out;
  const float* logSumExp;
  Array dOut, dQkv;
};

// delta = sum of dOut x out, for each query; and logSum; both padded with zeros.
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

template <bool kPairs> void headBackward(const Head& h, const BackwardOperands& o, float* scratch) {
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
                     false);
    multiply<kPairs>(s.tokens, vectors, steps, {scratch + at.values, words, 1}, scratch + at.dOut, gradients, kStride,
                     false);
    softmaxGradient<kPairs>({scores, gradients, scratch + at.gradientsOfKeys, s.tokens, block.count, kStride, scale,
                             s.bf16, scratch + at.logSum, scratch + at.delta});
    const size_t sums = wordsOf<kPairs>(block.count);
    multiply<kPairs>(s.tokens, width, sums, {scores, kStride, 1}, scratch + at.dOutColumns, scratch + at.dValues, wide,
                     index > 0);
    multiply<kPairs>(s.tokens, width, sums, {gradients, kStride, 1}, scratch + at.queryColumns, scratch + at.dKeys, wide,
                     index > 0);
    const float* ofKeys = kPairs ? scratch + at.gradientsOfKeys : gradients;
    multiply<kPairs>(block.count, width, wordsOf<kPairs>(s.tokens), {ofKeys, 1, kStride}, scratch + at.keyColumns,
                     scratch + at.dQueries, wide, false);
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
  const Scratch scratch(context.memory, static_cast<size_t>(context.pool.threads()) * layout.total * sizeof(float));
  context.pool.run(static_cast<int>(s.images * s.heads), [&](int chunk, int thread) {
    const size_t index = static_cast<size_t>(chunk);
    headBackward<kPairs>({s, index / s.heads, index % s.heads}, operands,
                         scratch.as<float>() + static_cast<size_t>(thread) * layout.total);
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
