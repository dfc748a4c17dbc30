// The positions of an attention head's rows in the tensors.
#pragma once
#include "../../kernels/attention.h"
#include "../elements.h"

namespace vitrail::cuda::attention {

// Heads of all images have one count, below 2^31: head = image x heads + head of the image.
__device__ __forceinline__ size_t firstElement(const AttentionShape& s, unsigned head, size_t row, unsigned part) {
  const auto heads = static_cast<unsigned>(s.heads);
  return head / heads * s.tokens * row + (part * heads + head % heads) * s.width;
}

// Rows of one head, of any width and storage: queries, keys, values, or others of the same shape.
struct HeadRows {
  Array tensor;
  // The element at which the first row starts, and elements from one row to the next.
  size_t first, stride;
  int rows, width;
  // Values are rounded to bf16.
  bool round;

  // Reads 0 beyond the last row or column.
  __device__ __forceinline__ float at(int row, int column) const {
    if (row >= rows || column >= width) return 0.0f;
    const size_t element = first + static_cast<size_t>(row) * stride + static_cast<size_t>(column);
    if (tensor.isBf16()) return widen(tensor.bf16()[element]);
    const float value = tensor.f32()[element];
    return round ? widen(narrow(value)) : value;
  }
  // Writes nothing beyond the last row or column.
  __device__ __forceinline__ void set(int row, int column, float value) const {
    if (row >= rows || column >= width) return;
    const size_t element = first + static_cast<size_t>(row) * stride + static_cast<size_t>(column);
    if (tensor.isBf16()) tensor.bf16()[element] = narrow(value);
    else tensor.f32()[element] = value;
  }
};

// part: 0 queries, 1 keys, 2 values.
__device__ __forceinline__ HeadRows packedRows(const AttentionShape& s, const Array& qkv, unsigned head,
                                               unsigned part) {
  const size_t row = 3 * s.heads * s.width;
  return {qkv, firstElement(s, head, row, part), row, static_cast<int>(s.tokens), static_cast<int>(s.width), s.bf16};
}
__device__ __forceinline__ HeadRows plainRows(const AttentionShape& s, const Array& x, unsigned head, bool round) {
  const size_t row = s.heads * s.width;
  return {x, firstElement(s, head, row, 0), row, static_cast<int>(s.tokens), static_cast<int>(s.width), round};
}

// 1 / sqrt(d)
inline float scaleOf(const AttentionShape& s) { return 1.0f / sqrtf(static_cast<float>(s.width)); }

}  // namespace vitrail::cuda::attention
