// Patches from pixels, and tokens from projected patches. Both kernels read and write every element once.
#include "../../kernels/tokens.h"

#include "../elements.h"

namespace vitrail::cuda {

namespace {

constexpr unsigned kPatchThreads = 128;
constexpr unsigned kThreads = 256;

// The three channels of kColumns neighbouring pixels, mirrored or not. Eight pixels are 8-byte aligned.
template <int kColumns> struct Pixels {
  uint8_t bytes[3 * kColumns];

  __device__ __forceinline__ void load(const uint8_t* from) {
    if constexpr (kColumns == kGroup) {
      for (int i = 0; i < 3; i++) {
        const uint2 words = reinterpret_cast<const uint2*>(from)[i];
        for (int j = 0; j < 4; j++) {
          bytes[8 * i + j] = static_cast<uint8_t>(words.x >> 8 * j);
          bytes[8 * i + 4 + j] = static_cast<uint8_t>(words.y >> 8 * j);
        }
      }
    } else {
      for (int i = 0; i < 3 * kColumns; i++) bytes[i] = from[i];
    }
  }
  // Both indices are compile-time constants, so that the bytes stay in registers.
  __device__ __forceinline__ uint8_t at(int column, int channel, bool flip) const {
    const uint8_t mirrored = bytes[3 * (kColumns - 1 - column) + channel];
    return flip ? mirrored : bytes[3 * column + channel];
  }
};

// A block has a row of patches of an image. Its threads take kColumns pixels of a row of a patch, in the order of what
// is written: with eight columns of bf16 a warp writes 512 bytes in a row for each channel. The table lies in shared
// memory.
template <int kColumns, typename Y> __global__ void __launch_bounds__(kPatchThreads)
    patchesKernel(PatchShape shape, const uint8_t* pixels, const uint8_t* flips, const float* values, Y y) {
  __shared__ float table[kPixelValues];
  for (unsigned i = threadIdx.x; i < kPixelValues; i += kPatchThreads) table[i] = values[i];
  __syncthreads();
  // A side is at most 65536, so numbers within a row of patches fit into 32 bits, which divide faster.
  const unsigned side = static_cast<unsigned>(shape.side), patch = static_cast<unsigned>(shape.patch);
  const unsigned columns = patch / kColumns, unitsOfPatch = patch * columns;
  const bool flip = flips[blockIdx.x / (side / patch)] != 0;
  const size_t plane = size_t{patch} * patch, start = size_t{blockIdx.x} * patch * side * 3;
  const size_t units = size_t{side / patch} * unitsOfPatch;
  for (size_t unit = threadIdx.x; unit < units; unit += kPatchThreads) {
    const unsigned number = static_cast<unsigned>(unit), index = number / unitsOfPatch, rest = number % unitsOfPatch;
    const unsigned row = rest / columns, column = rest % columns * kColumns;
    const unsigned left = index * patch + column;
    Pixels<kColumns> p;
    p.load(pixels + start + (size_t{row} * side + (flip ? side - kColumns - left : left)) * 3);
    const size_t to = start + index * 3 * plane + row * patch + column;
    for (int channel = 0; channel < 3; channel++) {
      float v[kColumns];
      for (int j = 0; j < kColumns; j++) v[j] = table[256 * channel + p.at(j, channel, flip)];
      const size_t at = to + channel * plane;
      if constexpr (kColumns == kGroup) y.storeGroup(at, at + kGroup, v);
      else y.set(at, v[0]);
    }
  }
}

void patchesFromPixels(const Context& context, const PatchShape& shape, const uint8_t* pixels, const uint8_t* flips,
                       const float* values, Array y) {
  withStorage(y, [&](auto to) {
    const auto kernel =
        shape.patch % kGroup == 0 ? patchesKernel<kGroup, decltype(to)> : patchesKernel<1, decltype(to)>;
    const Grid grid = {static_cast<unsigned>(shape.images * (shape.side / shape.patch)), kPatchThreads};
    launch(context, kernel, grid, shape, pixels, flips, values, to);
  });
}

// A thread has eight neighbours of z, which one Philox block masks. In rows of whole groups they are of one token, and
// all accesses have 16 bytes; in others the thread goes from element to element, over the ends of tokens and images.
template <typename X, typename Z> __global__ void __launch_bounds__(kThreads)
    assembleKernel(TokenShape shape, X projected, const float* classToken, const float* position, Z z,
                   DropoutKey dropout) {
  const size_t ofImage = shape.tokens * shape.width, length = shape.images * ofImage;
  const size_t group = size_t{blockIdx.x} * kThreads + threadIdx.x, at = group * kGroup;
  if (at >= length) return;
  float v[kGroup], mask[kGroup];
  size_t image = at / ofImage, place = at - image * ofImage;
  if (shape.width % kGroup == 0) {
    float added[kGroup];
    if (place < shape.width) Elements<false>{const_cast<float*>(classToken)}.loadGroup(place, shape.width, v);
    else projected.loadGroup(at - (image + 1) * shape.width, length, v);
    Elements<false>{const_cast<float*>(position)}.loadGroup(place, ofImage, added);
    for (int j = 0; j < kGroup; j++) v[j] += added[j];
  } else {
    for (int j = 0; j < kGroup; j++) {
      if (at + j >= length) break;
      const float token = place < shape.width ? classToken[place] : projected.at(at + j - (image + 1) * shape.width);
      v[j] = token + position[place];
      if (++place == ofImage) place = 0, image++;
    }
  }
  if (dropout.active()) {
    dropoutGroup(dropout, group, mask);
    for (int j = 0; j < kGroup; j++) v[j] *= mask[j];
  }
  z.storeGroup(at, length, v);
}

void assemble(const Context& context, const TokenShape& shape, Array projected, const float* classToken,
              const float* position, Array z, const DropoutKey& dropout) {
  const Grid grid = {blocksFor(shape.images * shape.tokens * shape.width, kGroup * kThreads), kThreads};
  withStorages(projected, z, [&](auto from, auto to) {
    launch(context, assembleKernel<decltype(from), decltype(to)>, grid, shape, from, classToken, position, to, dropout);
  });
}

// Threads of a block that share the images of one place.
constexpr int kShares = 8;

// A thread has kColumns places of an image's tokens, in an eighth of the images, which it adds up in their order; then
// the block adds up the eighths, in theirs. kColumns is 8 in rows of whole groups, which lie alike in every image; else
// 1.
template <int kColumns, typename Dz, typename D> __global__ void __launch_bounds__(kWarp* kShares)
    assembleBackwardKernel(TokenShape shape, Dz dz, D dProjected, float* dClassToken, float* dPosition,
                           DropoutKey dropout) {
  const size_t ofImage = shape.tokens * shape.width;
  const size_t place = (size_t{blockIdx.x} * kWarp + threadIdx.x) * kColumns;
  const size_t share = threadIdx.y;
  const size_t start = share * shape.images / kShares, end = (share + 1) * shape.images / kShares;
  float sums[kColumns] = {};
  for (size_t image = start; image < end && place < ofImage; image++) {
    const size_t at = image * ofImage + place, to = at - (image + 1) * shape.width;
    float mask[kGroup] = {};
    if (dropout.active()) dropoutGroup(dropout, at / kGroup, mask);
    if constexpr (kColumns == kGroup) {
      float v[kGroup];
      dz.loadGroup(at, at + kGroup, v);
      for (int j = 0; j < kGroup; j++) {
        if (dropout.active()) v[j] *= mask[j];
        sums[j] += v[j];
      }
      if (place >= shape.width) dProjected.storeGroup(to, to + kGroup, v);
    } else {
      float gradient = dz.at(at);
      if (dropout.active()) {
        for (unsigned j = 0; j < kGroup; j++) gradient *= j == at % kGroup ? mask[j] : 1.0f;
      }
      sums[0] += gradient;
      if (place >= shape.width) dProjected.set(to, gradient);
    }
  }
  __shared__ float others[kShares][kColumns][kWarp];
  for (int j = 0; j < kColumns; j++) others[share][j][threadIdx.x] = sums[j];
  __syncthreads();
  // Each group of threads writes its part of the columns.
  for (int j = threadIdx.y; j < kColumns; j += kShares) {
    float sum = others[0][j][threadIdx.x];
    for (int i = 1; i < kShares; i++) sum += others[i][j][threadIdx.x];
    if (place >= ofImage) continue;
    dPosition[place + j] = sum;
    if (place < shape.width) dClassToken[place + j] = sum;
  }
}

void assembleBackward(const Context& context, const TokenShape& shape, Array dz, Array dProjected, float* dClassToken,
                      float* dPosition, const DropoutKey& dropout) {
  const size_t places = shape.tokens * shape.width;
  const bool inGroups = shape.width % kGroup == 0;
  const Grid grid = {blocksFor(places, (inGroups ? kGroup : 1) * kWarp), dim3(kWarp, kShares)};
  withStorages(dz, dProjected, [&](auto from, auto to) {
    const auto kernel = inGroups ? assembleBackwardKernel<kGroup, decltype(from), decltype(to)>
                                 : assembleBackwardKernel<1, decltype(from), decltype(to)>;
    launch(context, kernel, grid, shape, from, to, dClassToken, dPosition, dropout);
  });
}

}  // namespace

extern const TokenKernels tokenKernels;
const TokenKernels tokenKernels = {patchesFromPixels, assemble, assembleBackward};

}  // namespace vitrail::cuda
