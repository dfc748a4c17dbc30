// Equation 1 of arXiv 2010.11929 without its gemm: patches from pixels, tokens from projected patches.
#pragma once
#include "../base/context.h"
#include "../base/tensor.h"
#include "dropout-key.h"
#include "levels.h"

namespace vitrail {

// What each 8-bit value of each channel stands for: [3, 256].
constexpr size_t kPixelValues = 3 * 256;

struct PatchShape {
  // B
  size_t images = 0;
  // S: an image is [S, S, 3].
  size_t side = 0;
  // P, a divisor of S, at least 1.
  size_t patch = 0;
};

struct TokenShape {
  // B
  size_t images = 0;
  // N + 1: the class token and the patches, at least 1.
  size_t tokens = 0;
  // D
  size_t width = 0;
};

struct TokenKernels {
  // pixels: [B, S, S, 3]; flips: [B], nonzero mirrors left to right; values: [3, 256], what a pixel value of each
  // channel stands for; y: [B (S/P)^2, 3 P^2], f32 or bf16, patches row by row, inside a patch channel, row, column.
  void (*patchesFromPixels)(const Context&, const PatchShape&, const uint8_t* pixels, const uint8_t* flips,
                            const float* values, Array y);

  // z = dropout([class; projected] + position). projected: [B N, D]; classToken: [D]; position: [N + 1, D];
  // z: [B (N + 1), D]. projected and z are f32 or bf16 each.
  void (*assemble)(const Context&, const TokenShape&, Array projected, const float* classToken, const float* position,
                   Array z, const DropoutKey&);

  // The gradients of all three. Those of class token and position are summed over images in a fixed order.
  void (*assembleBackward)(const Context&, const TokenShape&, Array dz, Array dProjected, float* dClassToken,
                           float* dPosition, const DropoutKey&);
};

VITRAIL_KERNEL_GROUP(TokenKernels, tokenKernels)

}  // namespace vitrail
