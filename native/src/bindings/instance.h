// What one JavaScript environment (a process's main thread, or a worker thread) owns of the addon.
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

// Memory known to JavaScript by a number: the handle.
struct Buffer {
  Array array;
  // The JavaScript array whose memory this is; empty where the memory is the allocator's.
  Napi::ObjectReference host;
  // The slot whose memory this is, of a view; below 0 where it is nobody else's.
  int64_t owner = -1;
  uint32_t views = 0;
  // That are under way, of those that nobody waits for.
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
  // Opens GPU 0 where none has been chosen.
  Context context() {
    if (!device.isOpen()) device.open(0);
    return {memory, device};
  }
#else
  Context context() { return {memory, *pool}; }
#endif

  double allocate(Napi::Env env, size_t length, Storage storage);
  double wrap(Array array, Napi::Object host);
  // Elements of another buffer, as elements of a type of the same size.
  double view(Napi::Env env, double handle, Storage storage, size_t offset, size_t length);
  void release(Napi::Env env, double handle);
  // Throws a TypeError for a number that is no handle, or no longer one.
  const Array& find(Napi::Env env, double handle, const char* name);

#if defined(VITRAIL_CUDA)
  Transfers& transfers(Napi::Env env);
  // A copy from or to the buffer has been started; it is done. Memory that is released in between is not used again
  // before the copy is done.
  void hold(Napi::Env env, double handle);
  void letGo(double handle);
  void holdKernels();

  // Before the memory: outlives it.
  cuda::Device device;
  int threads = 1;
  Level level = Level::portable;
#else
  std::unique_ptr<ThreadPool> pool;
  Level level;
#endif
  Allocator memory;

 private:
  // Null where the number is no handle, or no longer one.
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
