#include "allocator.h"

#include <new>

#include "system-memory.h"

namespace vitrail {

namespace {

constexpr size_t kSmallest = 256;

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
    block = takeFromSystem(size);
    if (block == nullptr) {
      trim();
      block = takeFromSystem(size);
    }
    if (block == nullptr) return nullptr;
    statistics_.bytesReserved += size;
  }
  statistics_.blocksInUse++;
  statistics_.bytesInUse += bytes;
  taken_ += size;
  if (taken_ > statistics_.peakBytesTaken) statistics_.peakBytesTaken = taken_;
  return block;
}

void Allocator::release(void* block, size_t bytes) {
  const size_t size = sizeClass(bytes);
  kept_[size].push_back(block);
  taken_ -= size;
  statistics_.blocksInUse--;
  statistics_.bytesInUse -= bytes;
}

void Allocator::trim() {
  for (auto& [size, blocks] : kept_) {
    for (void* block : blocks) returnToSystem(block);
    statistics_.bytesReserved -= size * blocks.size();
    blocks.clear();
  }
}

Scratch::Scratch(Allocator& allocator, size_t bytes)
    : allocator_(allocator), bytes_(bytes), block_(allocator.allocate(bytes)) {
  if (block_ == nullptr) throw std::bad_alloc();
}

}  // namespace vitrail
