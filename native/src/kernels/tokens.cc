#include "tokens.h"

#include "philox.h"
#include "rows.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

// Tokens of a chunk.
constexpr size_t kTokens = 16;

// Writes one row of patches of an image. `values` have the storage's type already.
template <typename T>
void rowOfPatches(const PatchShape& shape, const uint8_t* pixels, bool flip, const T* values, T* to) {
  const size_t side = shape.side, patch = shape.patch, plane = patch * patch;
  for (size_t left = 0; left < side; left += patch) {
    for (size_t row = 0; row < patch; row++, to += patch) {
      const uint8_t* from = pixels + (row * side + (flip ? side - 1 - left : left)) * 3;
      for (size_t column = 0; column < patch; column++) {
        const uint8_t* pixel = flip ? from - 3 * column : from + 3 * column;
        to[column] = values[pixel[0]];
        to[column + plane] = values[256 + pixel[1]];
        to[column + 2 * plane] = values[512 + pixel[2]];
      }
    }
    to += 2 * plane;
  }
}

template <typename T> void patches(const Context& context, const PatchShape& shape, const uint8_t* pixels,
                                   const uint8_t* flips, const T* values, T* y) {
  const size_t rows = shape.side / shape.patch, pixelsOfRow = shape.side * shape.patch * 3;
  context.pool.run(static_cast<int>(shape.images * rows), [&](int chunk, int) {
    const size_t at = static_cast<size_t>(chunk);
    rowOfPatches(shape, pixels + at * pixelsOfRow, flips[at / rows] != 0, values, y + at * pixelsOfRow);
  });
}

void patchesFromPixels(const Context& context, const PatchShape& shape, const uint8_t* pixels, const uint8_t* flips,
                       const float* values, Array y) {
  if (!y.isBf16()) return patches(context, shape, pixels, flips, values, y.f32());
  uint16_t narrowed[kPixelValues];
  for (size_t i = 0; i < kPixelValues; i += kLanes) storeBf16(narrowed + i, load(values + i));
  patches(context, shape, pixels, flips, narrowed, y.bf16());
}

// For each thread, space for a row of each of two operands.
size_t spaceOf(const TokenShape& shape) { return (shape.width + 31) / 16 * 16; }

void assemble(const Context& context, const TokenShape& shape, Array projected, const float* classToken,
              const float* position, Array z, const DropoutKey& dropout) {
  const size_t rows = shape.images * shape.tokens, width = shape.width, space = spaceOf(shape);
  const Scratch scratch(context.memory, static_cast<size_t>(context.pool.threads()) * 2 * space * sizeof(float));
  context.pool.run(static_cast<int>((rows + kTokens - 1) / kTokens), [&](int chunk, int thread) {
    float* own = scratch.as<float>() + static_cast<size_t>(thread) * 2 * space;
    const size_t start = static_cast<size_t>(chunk) * kTokens;
    DropoutBits bits(dropout, start * width);
    for (size_t row = start; row < start + kTokens && row < rows; row++) {
      const size_t image = row / shape.tokens, token = row % shape.tokens;
      const float* from =
          token == 0 ? classToken : readRow(projected, (image * (shape.tokens - 1) + token - 1) * width, width, own);
      const float* place = position + token * width;
      float* to = rowToWrite(z, row * width, own + space);
      eachVectorOfRow(width, [&](size_t at, size_t count) {
        const Floats sum = loadUpTo(from + at, count) + loadUpTo(place + at, count);
        storeUpTo(to + at, dropout.active() ? sum * bits.next(static_cast<int>(count)) : sum, count);
      });
      finishRow(z, row * width, width, to);
    }
  });
}

// Writes the gradient of one token of one image to `to`, and adds it to `sums`.
void tokenBackward(const float* dz, size_t width, DropoutBits* bits, float* to, float* sums) {
  eachVectorOfRow(width, [&](size_t at, size_t count) {
    const Floats given = loadUpTo(dz + at, count);
    const Floats gradient = bits ? given * bits->next(static_cast<int>(count)) : given;
    storeUpTo(sums + at, loadUpTo(sums + at, count) + gradient, count);
    storeUpTo(to + at, gradient, count);
  });
}

void assembleBackward(const Context& context, const TokenShape& shape, Array dz, Array dProjected, float* dClassToken,
                      float* dPosition, const DropoutKey& dropout) {
  const size_t width = shape.width, space = spaceOf(shape);
  const Scratch scratch(context.memory, static_cast<size_t>(context.pool.threads()) * 2 * space * sizeof(float));
  // A chunk has the same tokens of all images, so no other chunk adds to their sums.
  context.pool.run(static_cast<int>((shape.tokens + kTokens - 1) / kTokens), [&](int chunk, int thread) {
    float* own = scratch.as<float>() + static_cast<size_t>(thread) * 2 * space;
    const size_t start = static_cast<size_t>(chunk) * kTokens;
    const size_t end = start + kTokens < shape.tokens ? start + kTokens : shape.tokens;
    for (size_t i = start * width; i < end * width; i++) dPosition[i] = 0;
    for (size_t image = 0; image < shape.images; image++) {
      DropoutBits bits(dropout, (image * shape.tokens + start) * width);
      for (size_t token = start; token < end; token++) {
        const float* from = readRow(dz, (image * shape.tokens + token) * width, width, own);
        const size_t at = (image * (shape.tokens - 1) + token - 1) * width;
        // The gradient of the class token is only added to the sum.
        float* to = token == 0 ? own + space : rowToWrite(dProjected, at, own + space);
        tokenBackward(from, width, dropout.active() ? &bits : nullptr, to, dPosition + token * width);
        if (token > 0) finishRow(dProjected, at, width, to);
      }
    }
  });
  memcpy(dClassToken, dPosition, width * sizeof(float));
}

}  // namespace

extern const TokenKernels tokenKernels;
const TokenKernels tokenKernels = {patchesFromPixels, assemble, assembleBackward};

}  // namespace vitrail::VITRAIL_VARIANT
