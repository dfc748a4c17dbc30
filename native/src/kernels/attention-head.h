// The positions of an attention head's rows in the tensors, and of its operands in scratch memory.
#pragma once
#include "attention-pack.h"
#include "attention.h"

namespace vitrail::VITRAIL_VARIANT {

// Vectors of queries in a block. Their scores stay in the second-level cache, and 65 tokens are one block. The
// number is even.
constexpr size_t kMostVectors = 6;
// Words from row to row of a block's scores.
constexpr size_t kStride = kMostVectors * kLanes;

// Queries [first, first + count) of a head, in whole panels except for the last one.
struct Block {
  size_t first, count;
};
inline size_t blocksOf(size_t queries) { return (vectorsOf(queries) + kMostVectors - 1) / kMostVectors; }
inline Block blockOf(size_t queries, size_t index) {
  const size_t panels = (vectorsOf(queries) + kPanel - 1) / kPanel, blocks = blocksOf(queries);
  const size_t first = index * panels / blocks * kPanel * kLanes;
  const size_t end = (index + 1) * panels / blocks * kPanel * kLanes;
  return {first, (end < queries ? end : queries) - first};
}

// The positions of a task's arrays in its thread's scratch memory, in floats. All are multiples of a vector.
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
  Head(const AttentionShape& s, size_t index) : shape(s), image(index / s.heads), head(index % s.heads) {}
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

inline void ask(Ahead& ahead, const HeadRows& x, size_t rows, Ahead::Purpose purpose) {
  const size_t bytes = bytesOf(x.tensor.storage);
  ahead.add(x.tensor.as<char>() + x.first * bytes, x.width * bytes, x.stride * bytes, rows, purpose);
}

// A row of the tensor = factor x row of floats.
inline void writeRow(const HeadRows& to, size_t row, const float* from, float factor) {
  const size_t element = to.first + row * to.stride;
  eachVectorOfRow(to.width, [&](size_t at, size_t count) {
    const Floats v = load(from + at) * factor;
    if (!to.tensor.isBf16()) storeUpTo(to.tensor.f32() + element + at, v, count);
    else if (count == kLanes) storeBf16(to.tensor.bf16() + element + at, v);
    else storeSomeBf16(to.tensor.bf16() + element + at, v, count);
  });
}

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

}  // namespace vitrail::VITRAIL_VARIANT
