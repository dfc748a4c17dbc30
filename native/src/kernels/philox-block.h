// One block of Philox 4x32-10 (Salmon et al., SC 2011), for processor and GPU.
#pragma once
#include "dropout-key.h"

namespace vitrail {

// The random bits of 8 elements: 16 each, the first in the lower half of out[0].
__attribute__((always_inline)) VITRAIL_BOTH inline void philoxBlock(uint32_t counter, const DropoutKey& key,
                                                                    uint32_t out[4]) {
  uint32_t c0 = counter, c1 = key.path[0], c2 = key.path[1], c3 = key.path[2];
  uint32_t k0 = key.key[0], k1 = key.key[1];
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = uint64_t{0xd2511f53} * c0, p1 = uint64_t{0xcd9e8d57} * c2;
    const uint32_t n0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0, n2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c0 = n0, c1 = static_cast<uint32_t>(p1), c2 = n2, c3 = static_cast<uint32_t>(p0);
    k0 += 0x9e3779b9, k1 += 0xbb67ae85;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

}  // namespace vitrail
