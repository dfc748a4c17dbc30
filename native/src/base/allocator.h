// Memory for tensors and scratch: freed blocks are kept by size class, because fresh pages cost more than the kernels
// that would fill them.
#pragma once
#include <cstddef>
#include <map>
#include <vector>

namespace vitrail {

struct MemoryStatistics {
  // As asked for, of blocks in use.
  size_t bytesInUse = 0;
  // Taken from the system, in use or kept.
  size_t bytesReserved = 0;
  // The most that the blocks in use took of the system's memory, since the start or the last resetPeak().
  size_t peakBytesTaken = 0;
  size_t blocksInUse = 0;
};

// For one thread.
class Allocator {
 public:
  Allocator() = default;
  ~Allocator();
  Allocator(const Allocator&) = delete;
  Allocator& operator=(const Allocator&) = delete;

  // 64-byte aligned, not zeroed; null when the system has no more. 0 bytes get a block too.
  void* allocate(size_t bytes);
  // `bytes` as they were asked for.
  void release(void* block, size_t bytes);
  // Gives kept blocks back to the system.
  void trim();

  const MemoryStatistics& statistics() const { return statistics_; }
  void resetPeak() { statistics_.peakBytesTaken = taken_; }

  // The bytes that a request takes: of four sizes to each power of two the smallest that holds it.
  static size_t sizeClass(size_t bytes);

 private:
  std::map<size_t, std::vector<void*>> kept_;
  MemoryStatistics statistics_;
  // Of bytesInUse, each rounded up to its class.
  size_t taken_ = 0;
};

// A block for the length of a scope.
class Scratch {
 public:
  Scratch(Allocator& allocator, size_t bytes);
  // Every level has this: inlined, so that the linker does not choose one for all (see kernels/variant.h).
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
