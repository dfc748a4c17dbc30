// Copies, selections, fills and conversions. Unchanged data moves in words of 16 bytes if sizes and offsets
// are multiples of them.
#include "../../../kernels/plain/copy.h"

#include "map.h"
#include "move.h"
#include "strided-copy.h"
#include "whole-number.h"

namespace vitrail::cuda {

namespace {

constexpr int64_t kLongWord = 16;

size_t elementsOf(const CopyTask& t) {
  size_t elements = 1;
  for (int d = 0; d < t.dimensions; d++) elements *= static_cast<size_t>(t.shape[d]);
  return elements;
}

Grid moveGrid(size_t words) { return {blocksFor(words, kMoves * kMoveThreads), kMoveThreads}; }

// Calls body with a word of so many bytes.
template <typename Body> void withWord(size_t bytes, Body body) {
  switch (bytes) {
    case 1: return body(uint8_t{});
    case 2: return body(uint16_t{});
    case 4: return body(uint32_t{});
    default: return body(uint4{});
  }
}

void copyWords(const Context& context, const CopyTask& t, size_t bytes) {
  const size_t words = elementsOf(t);
  withWord(bytes, [&](auto word) { launch(context, copyKernel<decltype(word)>, moveGrid(words), t, words); });
}

void transpose(const Context& context, const CopyTask& t, size_t bytes) {
  const int q = t.dimensions - 1, p = q - 1;
  const unsigned acrossP = blocksFor(static_cast<size_t>(t.shape[p]), kTile);
  const unsigned acrossQ = blocksFor(static_cast<size_t>(t.shape[q]), kTile);
  size_t planes = 1;
  for (int d = 0; d < p; d++) planes *= static_cast<size_t>(t.shape[d]);
  const auto blocks = static_cast<unsigned>(planes * acrossP * acrossQ);
  const Grid grid = {blocks, dim3(kTile, kTileRows), kTile * (kTile + 1) * bytes};
  withWord(bytes, [&](auto word) { launch(context, transposeKernel<decltype(word)>, grid, t, acrossP, acrossQ); });
}

void copy(const Context& context, const CopyTask& task) {
  if (elementsOf(task) == 0) return;
  const size_t bytes = bytesOf(task.x.storage);
  const int64_t each = kLongWord / static_cast<int64_t>(bytes);
  CopyTask t = simplified(task);
  if (isContiguous(t) && t.offsetX % each == 0 && t.offsetY % each == 0) {
    // Moves all but the last few elements in long words.
    CopyTask end = t;
    const int64_t even = t.shape[0] / each * each;
    end.shape[0] -= even;
    end.offsetX += even;
    end.offsetY += even;
    t.shape[0] = even;
    if (even > 0) copyWords(context, inWords(t, each), kLongWord);
    if (end.shape[0] > 0) copyWords(context, end, bytes);
  } else if (isOfWords(t, each)) {
    copyWords(context, inWords(t, each), kLongWord);
  } else if (transposes(t)) {
    transpose(context, t, bytes);
  } else {
    copyWords(context, t, bytes);
  }
}

void gather(const Context& context, const GatherTask& task) {
  GatherTask t = task;
  size_t bytes = bytesOf(t.x.storage);
  const int64_t each = kLongWord / static_cast<int64_t>(bytes);
  if (t.inner % each == 0) {
    t.inner /= each;
    bytes = kLongWord;
  }
  const size_t words = static_cast<size_t>(t.outer) * static_cast<size_t>(t.count) * static_cast<size_t>(t.inner);
  withWord(bytes, [&](auto word) { launch(context, gatherKernel<decltype(word)>, moveGrid(words), t, words); });
}

struct Choice {
  template <typename T> __device__ T operator()(uint8_t condition, T a, T b) const { return condition != 0 ? a : b; }
};

template <typename T> void selectAs(const Context& context, const uint8_t* condition, Array a, Array b, Array y) {
  map(context, Choice{}, y.as<T>(), y.length, condition, a.as<const T>(), b.as<const T>());
}

void select(const Context& context, const uint8_t* condition, Array a, Array b, Array y) {
  switch (bytesOf(y.storage)) {
    case 1: return selectAs<uint8_t>(context, condition, a, b, y);
    case 2: return selectAs<uint16_t>(context, condition, a, b, y);
    default: return selectAs<uint32_t>(context, condition, a, b, y);
  }
}

// Types that arrays are made of; uint16_t is a bf16.
__device__ __forceinline__ float meaning(float stored) { return stored; }
__device__ __forceinline__ float meaning(uint16_t stored) { return widen(stored); }
__device__ __forceinline__ int32_t meaning(int32_t stored) { return stored; }
__device__ __forceinline__ int32_t meaning(uint8_t stored) { return stored != 0; }

template <typename T> struct Stored {
  template <typename V> __device__ static T of(V value) { return static_cast<T>(value); }
};
template <> struct Stored<uint16_t> {
  template <typename V> __device__ static uint16_t of(V value) { return narrow(static_cast<float>(value)); }
};
template <> struct Stored<int32_t> {
  template <typename V> __device__ static int32_t of(V value) { return toWhole(value); }
};
template <> struct Stored<uint8_t> {
  template <typename V> __device__ static uint8_t of(V value) { return value != 0; }
};

template <typename Y> struct Conversion {
  template <typename X> __device__ Y operator()(X x) const { return Stored<Y>::of(meaning(x)); }
};

template <typename Y> struct Constant {
  double value;
  __device__ Y operator()() const { return Stored<Y>::of(value); }
};

// Calls body with an element of the type that arrays are stored in.
template <typename Body> void withElement(Storage storage, Body body) {
  switch (storage) {
    case Storage::f32: return body(float{});
    case Storage::bf16: return body(uint16_t{});
    case Storage::i32: return body(int32_t{});
    case Storage::u8: return body(uint8_t{});
  }
}

void fill(const Context& context, Array y, double value) {
  withElement(y.storage, [&](auto element) {
    using Y = decltype(element);
    map(context, Constant<Y>{value}, y.as<Y>(), y.length);
  });
}

void convert(const Context& context, Array x, Array y) {
  withElement(x.storage, [&](auto from) {
    withElement(y.storage, [&](auto to) {
      using Y = decltype(to);
      map(context, Conversion<Y>{}, y.as<Y>(), x.length, x.as<const decltype(from)>());
    });
  });
}

}  // namespace

extern const CopyKernels copyKernels;
const CopyKernels copyKernels = {copy, gather, select, fill, convert};

}  // namespace vitrail::cuda
