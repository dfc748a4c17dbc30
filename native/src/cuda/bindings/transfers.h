// Copies between the host and the GPU that JavaScript awaits. For each direction, a thread waits for them in
// order, and their promises are settled in JavaScript's thread.
#pragma once
#include <napi.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "../device.h"

namespace vitrail {

enum class Direction { out = 0, in = 1 };

// Belongs to one JavaScript environment. Everything except the waiting happens in its thread.
class Transfers {
 public:
  // Throws a DeviceError if no thread can be started.
  Transfers(Napi::Env env, cuda::Device& device);
  // Waits for all copies.
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  // Pins the memory of a typed array on a SharedArrayBuffer, and keeps it alive, until it is unregistered.
  void registerHost(void* data, size_t bytes, Napi::Object array);
  // Waits for all copies. False if exactly this memory is not registered.
  bool unregisterHost(const void* data, size_t bytes);
  bool overlapsRegistered(const void* data, size_t bytes) const;
  bool isRegistered(const void* data, size_t bytes) const;

  // Starts a copy after all kernels so far. Returns a promise, which is rejected if the GPU fails. `settled`
  // is called before the promise is settled, even if the copy cannot be started.
  Napi::Value start(Direction direction, void* host, void* device, size_t bytes, std::function<void()> settled);

 private:
  struct Copy {
    napi_deferred promise = nullptr;
    std::function<void()> settled;
    cuda::Transfer* transfer = nullptr;
    // The error; empty if there was none.
    std::string problem;
  };
  struct Lane {
    std::deque<std::unique_ptr<Copy>> started;
    std::thread thread;
  };
  struct Registration {
    uint8_t* data;
    size_t bytes;
    Napi::ObjectReference array;
  };

  void serve(Lane& lane);
  void settleFinished();
  void waitForAll();
  void close();
  static void settle(napi_env env, const Copy& copy);
  static void closeOf(void* self);

  Napi::Env env_;
  cuda::Device& device_;
  napi_threadsafe_function wake_ = nullptr;
  std::vector<Registration> registrations_;
  // The number of promises that are not settled. While there are any, the process does not end.
  size_t pending_ = 0;
  bool closed_ = false;

  std::mutex mutex_;
  // Notified when one of the members below changes.
  std::condition_variable changed_;
  Lane lanes_[2];
  std::deque<std::unique_ptr<Copy>> finished_;
  bool closing_ = false;
};

}  // namespace vitrail
