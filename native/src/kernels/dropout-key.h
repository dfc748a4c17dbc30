// The key of a dropout's Philox stream: seed, step, micro-batch and layer. See src/kernels/dropout-mask.ts.
#pragma once
#include <cstdint>

#include "../base/tensor.h"

namespace vitrail {

struct DropoutKey {
  // Elements whose 16 random bits are below this are zeroed; 0 for no dropout.
  uint32_t dropBelow = 0;
  // The others are multiplied by this, 1 / (1 - rate).
  float kept = 1;
  uint32_t key[2] = {0, 0};
  // Counter words 1 to 3; word 0 counts blocks of 8 elements, in row-major order of the tensor.
  uint32_t path[3] = {0, 0, 0};

  __attribute__((always_inline)) VITRAIL_BOTH bool active() const { return dropBelow > 0; }
};

}  // namespace vitrail
