#include "instance.h"

#include <cmath>
#include <string>
#if defined(VITRAIL_CUDA)
#include "../cuda/bindings/transfers.h"
#endif

namespace vitrail {

namespace {

// A handle is generation x 2^24 + slot, so a released handle is recognised until its slot has been used 2^28
// times.
constexpr double kSlots = 16777216;
constexpr uint32_t kGenerations = 1u << 28;

uint32_t slotOf(double handle) { return static_cast<uint32_t>(std::fmod(handle, kSlots)); }

size_t bytesOf(const Array& array) { return array.length * vitrail::bytesOf(array.storage); }

}  // namespace

#if defined(VITRAIL_CUDA)
Instance::Instance() = default;
#else
Instance::Instance() : pool(std::make_unique<ThreadPool>(1)), level(usableLevels().back()) {}
#endif

Instance::~Instance() {
#if defined(VITRAIL_CUDA)
  transfers_.reset();
#endif
  for (const Buffer& buffer : buffers_) {
    if (buffer.used && buffer.host.IsEmpty() && buffer.owner < 0)
      memory.release(buffer.array.data, bytesOf(buffer.array));
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
  // A GPU's memory can be used only after the GPU is opened.
  static_cast<void>(context());
  void* block = memory.allocate(length * vitrail::bytesOf(storage));
  if (block == nullptr) {
    throw Napi::RangeError::New(env, "out of memory: " + std::to_string(length * vitrail::bytesOf(storage)) +
                                         " bytes asked for, " + std::to_string(memory.statistics().bytesInUse) +
                                         " in use");
  }
  return enter({block, length, storage});
}

double Instance::wrap(Array array, Napi::Object host) {
  const double handle = enter(array);
  buffers_[slotOf(handle)].host = Napi::Persistent(host);
  return handle;
}

double Instance::view(Napi::Env env, double handle, Storage storage, size_t offset, size_t length) {
  const Array array = find(env, handle, "buffer");
  if (!lookUp(env, handle, "buffer").host.IsEmpty()) {
    throw Napi::TypeError::New(env, "buffer: the memory is JavaScript's, which may take it away");
  }
  if (vitrail::bytesOf(storage) != vitrail::bytesOf(array.storage)) {
    throw Napi::TypeError::New(env, "storage: elements of another size than the buffer's");
  }
  if (offset > array.length || length > array.length - offset) {
    throw Napi::TypeError::New(env, "length: elements " + std::to_string(offset) + " to " +
                                        std::to_string(offset + length) + " of " + std::to_string(array.length));
  }
#if defined(VITRAIL_CUDA)
  // A GPU's kernels load 16 bytes at a time, and fault at other addresses.
  if (offset * vitrail::bytesOf(storage) % 16 != 0) {
    throw Napi::TypeError::New(env, "offset: " + std::to_string(offset) + " is no multiple of 16 bytes");
  }
#endif
  auto* start = static_cast<unsigned char*>(array.data) + offset * vitrail::bytesOf(storage);
  const double viewed = enter({start, length, storage});
  const int64_t slot = slotOf(handle), owner = buffers_[slot].owner < 0 ? slot : buffers_[slot].owner;
  buffers_[slotOf(viewed)].owner = owner;
  buffers_[owner].views++;
  return viewed;
}

Buffer* Instance::seek(double handle) {
  if (!(handle >= 0) || handle != std::floor(handle)) return nullptr;
  const double slot = std::fmod(handle, kSlots);
  if (!(slot < static_cast<double>(buffers_.size()))) return nullptr;
  Buffer& buffer = buffers_[static_cast<size_t>(slot)];
  return buffer.used && buffer.generation == (handle - slot) / kSlots ? &buffer : nullptr;
}

Buffer& Instance::lookUp(Napi::Env env, double handle, const char* name) {
  Buffer* buffer = seek(handle);
  if (buffer != nullptr) return *buffer;
  throw Napi::TypeError::New(env,
                             std::string(name) + ": " + std::to_string(handle) + " is no buffer, or a released one");
}

const Array& Instance::find(Napi::Env env, double handle, const char* name) {
  Buffer& buffer = lookUp(env, handle, name);
  if (!buffer.host.IsEmpty()) {
    // JavaScript may have transferred the array since; then it has no elements.
    Array& array = buffer.array;
    napi_get_typedarray_info(env, buffer.host.Value(), nullptr, &array.length, &array.data, nullptr, nullptr);
  }
  return buffer.array;
}

void Instance::release(Napi::Env env, double handle) {
  Buffer& buffer = lookUp(env, handle, "release");
  if (buffer.views > 0) throw Napi::TypeError::New(env, "release: a view of the buffer is in use");
#if defined(VITRAIL_CUDA)
  if (buffer.copies > 0) holdKernels();
#endif
  if (buffer.owner >= 0) buffers_[buffer.owner].views--;
  else if (buffer.host.IsEmpty()) memory.release(buffer.array.data, bytesOf(buffer.array));
  else buffer.host.Reset();
  buffer.array = {};
  buffer.owner = -1;
  buffer.copies = 0;
  buffer.used = false;
  buffer.generation = (buffer.generation + 1) % kGenerations;
  free_.push_back(slotOf(handle));
}

#if defined(VITRAIL_CUDA)

Transfers& Instance::transfers(Napi::Env env) {
  if (transfers_ == nullptr) transfers_ = std::make_unique<Transfers>(env, context().device);
  return *transfers_;
}

// The next kernels that use the memory must not run before its copies have ended. On a GPU with a fault, no
// kernel runs.
void Instance::holdKernels() {
  try {
    device.holdKernels();
  } catch (const cuda::DeviceError&) {
  }
}

void Instance::hold(Napi::Env env, double handle) { lookUp(env, handle, "buffer").copies++; }

void Instance::letGo(double handle) {
  Buffer* buffer = seek(handle);
  if (buffer != nullptr) buffer->copies--;
}

#endif

}  // namespace vitrail
