// A device that computes on the processor, in place of device.cu. For tests.
#include "../device.h"

#include <malloc.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "../../base/system-memory.h"

namespace vitrail {

namespace {

std::atomic<size_t> bytesTaken{0};

// The size of the emulated GPU's memory, if a test sets it.
size_t memoryBytes() {
  const char* asked = getenv("VITRAIL_EMULATED_BYTES");
  return asked == nullptr ? size_t{1} << 30 : strtoull(asked, nullptr, 10);
}

}  // namespace

void* takeFromSystem(size_t bytes) {
  void* block = nullptr;
  if (bytesTaken + bytes > memoryBytes() || posix_memalign(&block, 256, bytes) != 0) return nullptr;
  bytesTaken += malloc_usable_size(block);
  return block;
}

void returnToSystem(void* block) {
  bytesTaken -= malloc_usable_size(block);
  free(block);
}

namespace cuda {

DeviceList listDevices() {
  DeviceInfo info;
  info.name = "emulated";
  info.memoryBytes = memoryBytes();
  info.multiprocessors = 1;
  DeviceList list;
  list.devices.push_back(info);
  return list;
}

void Device::open(int ordinal) {
  if (ordinal != 0) throw DeviceError("there is no cuda:" + std::to_string(ordinal) + ", only 0 to 0");
  ordinal_ = 0;
  multiprocessors_ = 1;
  kind_ = "emulated";
  sharedBytes_ = 227 * 1024;
}

Device::~Device() = default;

void Device::copyIn(void* to, const void* from, size_t bytes) const { memcpy(to, from, bytes); }
void Device::copyOut(void* to, const void* from, size_t bytes) const { memcpy(to, from, bytes); }
void Device::synchronise() const {}

void Device::zero(void* at, size_t bytes) const { memset(at, 0, bytes); }
void Device::copyWithin(void* to, const void* from, size_t bytes) const { memcpy(to, from, bytes); }
void Device::registerHost(void*, size_t) const {}
void Device::unregisterHost(void*) const {}

// The thread that waits for the copy does it. So, as on a GPU, it happens neither at once nor in the calling
// thread.
struct Transfer {
  void* to;
  const void* from;
  size_t bytes;
  bool fails;
};

namespace {

std::mutex guard;
std::condition_variable finished;
size_t underWay = 0;

// The fault of copies that a test asks for: "start" or "finish".
bool isAsked(const char* fault) {
  const char* asked = getenv("VITRAIL_EMULATED_FAULT");
  return asked != nullptr && strcmp(asked, fault) == 0;
}

Transfer* start(void* to, const void* from, size_t bytes) {
  if (isAsked("start")) throw DeviceError("emulated fault when a copy starts");
  auto transfer = std::make_unique<Transfer>(Transfer{to, from, bytes, isAsked("finish")});
  const std::lock_guard<std::mutex> lock(guard);
  underWay++;
  return transfer.release();
}

}  // namespace

Transfer* Device::startOut(void* to, const void* from, size_t bytes) const { return start(to, from, bytes); }
Transfer* Device::startIn(void* to, const void* from, size_t bytes) const { return start(to, from, bytes); }

std::string Device::finish(Transfer* transfer) const {
  const std::unique_ptr<Transfer> owned(transfer);
  if (!owned->fails) memcpy(owned->to, owned->from, owned->bytes);
  const std::lock_guard<std::mutex> lock(guard);
  underWay--;
  finished.notify_all();
  return owned->fails ? "emulated fault during a copy" : "";
}

// Nothing to wait for, because kernels run in the thread that launches them.
void Device::holdKernels() const {
  std::unique_lock<std::mutex> lock(guard);
  finished.wait(lock, [] { return underWay == 0; });
}

double Device::microseconds(FunctionRef<void()> work) const {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace cuda

}  // namespace vitrail
