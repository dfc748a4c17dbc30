// Memory for tensors and scratch. Freed blocks are kept by size class, because new pages cost more time than
// the kernels that fill them.
#pragma once
#include <cstddef>
#include <map>
#include <vector>

namespace vitrail {

struct MemoryStatistics {
  // Bytes of blocks in use, in the sizes that were asked for.
  size_t bytesInUse = 0;
  // Bytes taken from the system, in use or kept for later.
  size_t bytesReserved = 0;
  // The most bytes of the system's memory that blocks in use took since the start or the last resetPeak().
  size_t peakBytesTaken = 0;
  size_t blocksInUse = 0;
};

// May be used by one thread only.
class Allocator {
 public:
  Allocator() = default;
  ~Allocator();
  Allocator(const Allocator&) = delete;
  Allocator& operator=(const Allocator&) = delete;

  // The block is 64-byte aligned and not zeroed; null when the system has no more. A request of 0 bytes gets a
  // block too.
  void* allocate(size_t bytes);
  // `bytes` is the size that was asked for.
  void release(void* block, size_t bytes);
  // Gives blocks that are kept for later back to the system.
  void trim();

  const MemoryStatistics& statistics() const { return statistics_; }
  void resetPeak() { statistics_.peakBytesTaken = taken_; }

  // The bytes that are allocated for a request. There are four sizes for each power of two; the smallest that
  // is large enough is used.
  static size_t sizeClass(size_t bytes);

 private:
  std::map<size_t, std::vector<void*>> kept_;
  MemoryStatistics statistics_;
  // The bytes of blocks in use, each rounded up to its size class.
  size_t taken_ = 0;
};

// A block that is freed at the end of its scope.
class Scratch {
 public:
  Scratch(Allocator& allocator, size_t bytes);
  // Every level compiles this. It is inlined, so that the linker does not choose one copy for all (see
  // kernels/variant.h).
  __attribute__((always_inline)) ~Scratch() { allocator_.release(block_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  template <typename T> T* as() const { return static_cast<T*>(block_); }

 private:
  Allocator& allocator_;
  size_t bytes_;
  void* block_;
};

}  // namespace vitrail
