// The addon's objects for one JavaScript environment, which is a process's main thread or a worker thread.
#pragma once
#include <napi.h>

#include <memory>
#include <vector>

#include "../base/allocator.h"
#include "../base/context.h"
#include "../base/processor.h"
#include "../base/tensor.h"

namespace vitrail {

class Transfers;

#if defined(VITRAIL_CUDA)
constexpr bool kOnGpu = true;
#else
constexpr bool kOnGpu = false;
#endif

// Memory that JavaScript knows by a number, the handle.
struct Buffer {
  Array array;
  // The JavaScript array whose memory this is; empty if the memory is the allocator's.
  Napi::ObjectReference host;
  // For a view, the slot whose memory this is; below 0 for other buffers.
  int64_t owner = -1;
  uint32_t views = 0;
  // The number of copies under way for which the caller does not wait.
  uint32_t copies = 0;
  uint32_t generation = 0;
  bool used = false;
};

class Instance {
 public:
  Instance();
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  static Instance& of(Napi::Env env) { return *env.GetInstanceData<Instance>(); }

#if defined(VITRAIL_CUDA)
  // Opens GPU 0 if none was chosen.
  Context context() {
    if (!device.isOpen()) device.open(0);
    return {memory, device};
  }
#else
  Context context() { return {memory, *pool}; }
#endif

  double allocate(Napi::Env env, size_t length, Storage storage);
  double wrap(Array array, Napi::Object host);
  // A view: elements of another buffer, as a type of the same size.
  double view(Napi::Env env, double handle, Storage storage, size_t offset, size_t length);
  void release(Napi::Env env, double handle);
  // Throws a TypeError for a number that is not a handle, or no longer one.
  const Array& find(Napi::Env env, double handle, const char* name);

#if defined(VITRAIL_CUDA)
  Transfers& transfers(Napi::Env env);
  // Have to be called when a copy from or to the buffer starts, and when it is done. Memory that is released
  // in between is not used again before the copy is done.
  void hold(Napi::Env env, double handle);
  void letGo(double handle);
  void holdKernels();

  // Declared before the memory, so that it lives longer.
  cuda::Device device;
  int threads = 1;
  Level level = Level::portable;
#else
  std::unique_ptr<ThreadPool> pool;
  Level level;
#endif
  Allocator memory;

 private:
  // Null if the number is not a handle, or no longer one.
  Buffer* seek(double handle);
  Buffer& lookUp(Napi::Env env, double handle, const char* name);
  double enter(Array array);

  std::vector<Buffer> buffers_;
  std::vector<uint32_t> free_;
#if defined(VITRAIL_CUDA)
  std::unique_ptr<Transfers> transfers_;
#endif
};

}  // namespace vitrail
