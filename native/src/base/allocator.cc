#include "allocator.h"

#include <cstdlib>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace vitrail {

namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kSmallest = 256;

void* fromSystem(size_t bytes) {
  const size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  void* block = nullptr;
  if (posix_memalign(&block, alignment, bytes) != 0) return nullptr;
#if defined(__linux__)
  // Fewer misses of the translation buffer in the long strides of a matrix product.
  if (bytes >= kHugePage) madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block;
}

}  // namespace

Allocator::~Allocator() { trim(); }

size_t Allocator::sizeClass(size_t bytes) {
  if (bytes <= kSmallest) return kSmallest;
  size_t power = kSmallest;
  while (power < bytes / 2 + bytes % 2) power *= 2;
  const size_t step = power / 4;
  return power + (bytes - power + step - 1) / step * step;
}

void* Allocator::allocate(size_t bytes) {
  const size_t size = sizeClass(bytes);
  void* block = nullptr;
  const auto kept = kept_.find(size);
  if (kept != kept_.end() && !kept->second.empty()) {
    block = kept->second.back();
    kept->second.pop_back();
  } else {
    block = fromSystem(size);
    if (block == nullptr) {
      trim();
      block = fromSystem(size);
    }
    if (block == nullptr) return nullptr;
    statistics_.bytesReserved += size;
  }
  statistics_.blocksInUse++;
  statistics_.bytesInUse += bytes;
  if (statistics_.bytesInUse > statistics_.peakBytesInUse) statistics_.peakBytesInUse = statistics_.bytesInUse;
  return block;
}

void Allocator::release(void* block, size_t bytes) {
  kept_[sizeClass(bytes)].push_back(block);
  statistics_.blocksInUse--;
  statistics_.bytesInUse -= bytes;
}

void Allocator::trim() {
  for (auto& [size, blocks] : kept_) {
    for (void* block : blocks) free(block);
    statistics_.bytesReserved -= size * blocks.size();
    blocks.clear();
  }
}

Scratch::Scratch(Allocator& allocator, size_t bytes)
    : allocator_(allocator), bytes_(bytes), block_(allocator.allocate(bytes)) {
  if (block_ == nullptr) throw std::bad_alloc();
}

}  // namespace vitrail
