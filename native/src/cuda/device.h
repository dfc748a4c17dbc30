// One GPU for one JavaScript environment. It is opened once, and has one stream, on which all kernels run in
// order.
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

// A copy that runs at the same time as kernels.
struct Transfer;

// An error of CUDA or one of its libraries. JavaScript gets the text.
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
  // Why its kernels cannot run here; empty if they can.
  std::string problem;
};

struct DeviceList {
  std::vector<DeviceInfo> devices;
  // CUDA versions as 1000 x major + 10 x minor, 0 if unknown: the newest that the driver supports, and that of
  // the build.
  int driver = 0, runtime = 0;
  // Why there are none; empty if there are some.
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

  // Chooses the GPU of this thread. A second call with the same number has no effect; with another number it
  // throws.
  void open(int ordinal);
  bool isOpen() const { return ordinal_ >= 0; }
  int ordinal() const { return ordinal_; }
  int capability() const { return capability_; }
  int multiprocessors() const { return multiprocessors_; }
  // Everything that the bits of kernels and libraries may depend on: model, number of multiprocessors, the
  // compiler's version.
  const std::string& kind() const { return kind_; }
  // Bytes of shared memory that a block can ask for.
  size_t sharedBytes() const { return sharedBytes_; }
  Stream stream() const { return stream_; }

  // Copies from the host after all kernels so far, and waits for it. Afterwards `from` may be written to.
  void copyIn(void* to, const void* from, size_t bytes) const;
  // Copies to the host after all kernels so far, and waits for it.
  void copyOut(void* to, const void* from, size_t bytes) const;
  // Waits for all kernels so far, and throws their error if there was one.
  void synchronise() const;
  // Measures how long the GPU computes what `work` starts. Waits for it.
  double microseconds(FunctionRef<void()> work) const;

  // Computes gemms on this device; gemmsOf() creates it.
  std::shared_ptr<Gemms> gemms;

  // These run in the order of the kernels. Source and target must not overlap.
  void zero(void* at, size_t bytes) const;
  void copyWithin(void* to, const void* from, size_t bytes) const;

  // Pins memory of the host, which copies at the same time as kernels need.
  void registerHost(void* data, size_t bytes) const;
  void unregisterHost(void* data) const;

  // Start a copy between registered memory and the GPU's. It begins after all kernels so far, and later
  // kernels do not wait for it. finish() has to be called once for each, by any thread.
  Transfer* startOut(void* to, const void* from, size_t bytes) const;
  Transfer* startIn(void* to, const void* from, size_t bytes) const;
  // Waits for the copy. Returns its error; empty if there was none.
  std::string finish(Transfer* transfer) const;
  // Kernels that are launched from now on run after all copies so far.
  void holdKernels() const;

 private:
  int ordinal_ = -1;
  int capability_ = 0;
  int multiprocessors_ = 0;
  std::string kind_;
  size_t sharedBytes_ = 0;
  Stream stream_ = nullptr;
  // Streams for copies from and to the GPU. The emulator does not use them, because its copies end at once.
  [[maybe_unused]] Stream outward_ = nullptr;
  [[maybe_unused]] Stream inward_ = nullptr;
  // Recorded again each time that something has to be waited for.
  [[maybe_unused]] Event mark_ = nullptr;
};

}  // namespace vitrail::cuda
