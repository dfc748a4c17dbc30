#include "instance.h"

#include <cmath>
#include <string>

namespace vitrail {

namespace {

// A handle is generation x 2^24 + slot: a released one is recognised until its slot has been used 2^28 times.
constexpr double kSlots = 16777216;
constexpr uint32_t kGenerations = 1u << 28;

size_t bytesOf(const Array& array) { return array.length * vitrail::bytesOf(array.storage); }

}  // namespace

#if defined(VITRAIL_CUDA)
Instance::Instance() = default;
#else
Instance::Instance() : pool(std::make_unique<ThreadPool>(1)), level(usableLevels().back()) {}
#endif

Instance::~Instance() {
  for (const Buffer& buffer : buffers_) {
    if (buffer.used && buffer.host.IsEmpty() && buffer.whole < 0) memory.release(buffer.array.data, bytesOf(buffer.array));
  }
}

double Instance::enter(Array array) {
  uint32_t slot;
  if (free_.empty()) {
    slot = static_cast<uint32_t>(buffers_.size());
    buffers_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Buffer& buffer = buffers_[slot];
  buffer.array = array;
  buffer.used = true;
  return buffer.generation * kSlots + slot;
}

double Instance::allocate(Napi::Env env, size_t length, Storage storage) {
  // A GPU's memory is its own only once it is open.
  static_cast<void>(context());
  void* block = memory.allocate(length * vitrail::bytesOf(storage));
  if (block == nullptr) {
    throw Napi::RangeError::New(env, "out of memory: " + std::to_string(length * vitrail::bytesOf(storage)) + " bytes asked for, " +
                                         std::to_string(memory.statistics().bytesInUse) + " in use");
  }
  return enter({block, length, storage});
}

double Instance::wrap(Array array, Napi::Object host) {
  const double handle = enter(array);
  buffers_[static_cast<uint32_t>(std::fmod(handle, kSlots))].host = Napi::Persistent(host);
  return handle;
}

double Instance::view(Napi::Env env, double whole, size_t offset, size_t length) {
  const Array array = find(env, whole, "buffer");
  const Buffer& from = entry(env, whole, "buffer");
  if (!from.host.IsEmpty() || from.whole >= 0) throw Napi::TypeError::New(env, "buffer: itself a part, or the host's memory");
  if (offset > array.length || length > array.length - offset) {
    throw Napi::TypeError::New(env, "length: elements " + std::to_string(offset) + " to " + std::to_string(offset + length) +
                                        " of " + std::to_string(array.length));
  }
  auto* start = static_cast<unsigned char*>(array.data) + offset * vitrail::bytesOf(array.storage);
  const double handle = enter({start, length, array.storage});
  buffers_[static_cast<uint32_t>(std::fmod(handle, kSlots))].whole = whole;
  return handle;
}

Buffer& Instance::entry(Napi::Env env, double handle, const char* name) {
  if (handle >= 0 && handle == std::floor(handle)) {
    const double slot = std::fmod(handle, kSlots);
    if (slot < static_cast<double>(buffers_.size())) {
      Buffer& buffer = buffers_[static_cast<size_t>(slot)];
      if (buffer.used && buffer.generation == (handle - slot) / kSlots) return buffer;
    }
  }
  throw Napi::TypeError::New(env, std::string(name) + ": " + std::to_string(handle) + " is no buffer, or a released one");
}

const Array& Instance::find(Napi::Env env, double handle, const char* name) {
  Buffer& buffer = entry(env, handle, name);
  // A part of a buffer that is gone is gone too.
  if (buffer.whole >= 0) entry(env, buffer.whole, name);
  if (!buffer.host.IsEmpty()) {
    // JavaScript may have taken the memory away since: a transferred array has no elements left.
    Array& array = buffer.array;
    napi_get_typedarray_info(env, buffer.host.Value(), nullptr, &array.length, &array.data, nullptr, nullptr);
  }
  return buffer.array;
}

void Instance::release(Napi::Env env, double handle) {
  Buffer& buffer = entry(env, handle, "release");
  if (!buffer.host.IsEmpty()) buffer.host.Reset();
  else if (buffer.whole < 0) memory.release(buffer.array.data, bytesOf(buffer.array));
  buffer.whole = -1;
  buffer.array = {};
  buffer.used = false;
  buffer.generation = (buffer.generation + 1) % kGenerations;
  free_.push_back(static_cast<uint32_t>(std::fmod(handle, kSlots)));
}

}  // namespace vitrail
