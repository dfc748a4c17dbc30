// One GPU as one JavaScript environment uses it: opened once, one stream that all kernels run on in their order.
#pragma once
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "../base/function-ref.h"

struct CUstream_st;
struct CUevent_st;

namespace vitrail::cuda {

using Stream = CUstream_st*;
using Event = CUevent_st*;

// A copy that is under way beside the kernels.
struct Transfer;

// What CUDA or one of its libraries answered; JavaScript gets the text.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct DeviceInfo {
  int ordinal = 0;
  std::string name;
  size_t memoryBytes = 0;
  // Compute capability: major x 10 + minor.
  int capability = 0;
  int multiprocessors = 0;
  // Why its kernels cannot run here; empty where they can.
  std::string problem;
};

struct DeviceList {
  std::vector<DeviceInfo> devices;
  // CUDA versions as 1000 x major + 10 x minor; 0 where unknown. What the driver takes, and what this was built with.
  int driver = 0, runtime = 0;
  // Why there are none; empty where there are.
  std::string problem;
};

DeviceList listDevices();

// See gemm/gemms.h.
class Gemms;

class Device {
 public:
  Device() = default;
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Makes the GPU the one of this thread. A second call with the same number has no effect, with another throws.
  void open(int ordinal);
  bool isOpen() const { return ordinal_ >= 0; }
  int ordinal() const { return ordinal_; }
  int capability() const { return capability_; }
  int multiprocessors() const { return multiprocessors_; }
  // All that the bits of kernels and libraries may follow from: model, count of multiprocessors, the compiler's
  // version.
  const std::string& kind() const { return kind_; }
  // Bytes of shared memory that a block can ask for.
  size_t sharedBytes() const { return sharedBytes_; }
  Stream stream() const { return stream_; }

  // From the host; `from` can be written to when it returns, which is after all kernels so far.
  void copyIn(void* to, const void* from, size_t bytes) const;
  // To the host, after all kernels so far: waits for them.
  void copyOut(void* to, const void* from, size_t bytes) const;
  // Waits for all kernels so far, and throws what went wrong in them.
  void synchronise() const;
  // How long the GPU is at what `work` starts. Waits for it.
  double microseconds(FunctionRef<void()> work) const;

  // What computes matrix products here; gemmsOf() makes it.
  std::shared_ptr<Gemms> gemms;

  // These run in the order of the kernels. What is copied does not overlap.
  void zero(void* at, size_t bytes) const;
  void copyWithin(void* to, const void* from, size_t bytes) const;

  // Pins memory of the host: copies beside the kernels need it so.
  void registerHost(void* data, size_t bytes) const;
  void unregisterHost(void* data) const;

  // Start a copy between registered memory and the GPU's that begins after all kernels so far; kernels that come later
  // do not wait for it. finish() is called once for each, by any thread.
  Transfer* startOut(void* to, const void* from, size_t bytes) const;
  Transfer* startIn(void* to, const void* from, size_t bytes) const;
  // Waits for the copy. What went wrong; empty where nothing did.
  std::string finish(Transfer* transfer) const;
  // Kernels that are launched from here on run after all copies so far.
  void holdKernels() const;

 private:
  int ordinal_ = -1;
  int capability_ = 0;
  int multiprocessors_ = 0;
  std::string kind_;
  size_t sharedBytes_ = 0;
  Stream stream_ = nullptr;
  // Copies from and to the GPU, each in their order. The emulator, whose copies end at once, has no use for these.
  [[maybe_unused]] Stream outward_ = nullptr;
  [[maybe_unused]] Stream inward_ = nullptr;
  // Recorded anew for whatever is to be waited for next.
  [[maybe_unused]] Event mark_ = nullptr;
};

}  // namespace vitrail::cuda
