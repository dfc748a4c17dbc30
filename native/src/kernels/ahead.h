// Prefetches memory that will be needed soon, while there is still something to compute.
#pragma once
#include "variant.h"

namespace vitrail::VITRAIL_VARIANT {

// Rows of an attention head are far apart, some in a page of their own. The processor does not prefetch them
// by itself, and waiting for them took a third of the time (65 tokens, 2 vCPU Zen 4, 2026-11-22).
class Ahead {
 public:
  enum Purpose { toRead, toWrite };

  // May be called at most 8 times.
  void add(const void* first, size_t bytesOfRow, size_t bytesToNext, size_t rows, Purpose purpose) {
    parts_[count_++] = {static_cast<const char*>(first), bytesOfRow, bytesToNext, rows, purpose};
  }

  // Prefetches the next rows. Has to be called about every 1,000 cycles.
  VITRAIL_INLINE void step() {
    for (size_t i = 0; i < kRowsOfStep && part_ < count_; i++) {
      const Part& part = parts_[part_];
      if (row_ == part.rows) {
        part_++, row_ = 0;
        continue;
      }
      const char* row = part.first + row_++ * part.bytesToNext;
      if (part.purpose == toWrite) {
        for (size_t at = 0; at < part.bytesOfRow; at += kLine) __builtin_prefetch(row + at, 1, 2);
      } else {
        for (size_t at = 0; at < part.bytesOfRow; at += kLine) __builtin_prefetch(row + at, 0, 2);
      }
    }
  }

 private:
  static constexpr size_t kLine = 64;
  // More requests at a time would wait for each other.
  static constexpr size_t kRowsOfStep = 10;

  struct Part {
    const char* first;
    size_t bytesOfRow, bytesToNext, rows;
    Purpose purpose;
  };
  Part parts_[8];
  size_t count_ = 0, part_ = 0, row_ = 0;
};

}  // namespace vitrail::VITRAIL_VARIANT
