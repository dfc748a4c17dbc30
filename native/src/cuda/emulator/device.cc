// A device that is the processor: what device.cu is for a GPU. For tests.
#include "../device.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "../../base/system-memory.h"

namespace vitrail {

void* takeFromSystem(size_t bytes) {
  void* block = nullptr;
  return posix_memalign(&block, 256, bytes) == 0 ? block : nullptr;
}

void returnToSystem(void* block) { free(block); }

namespace cuda {

DeviceList listDevices() {
  DeviceInfo info;
  info.name = "emulated";
  info.multiprocessors = 1;
  DeviceList list;
  list.devices.push_back(info);
  return list;
}

void Device::open(int ordinal) {
  if (ordinal != 0) throw DeviceError("there is no cuda:" + std::to_string(ordinal) + ", only 0 to 0");
  ordinal_ = 0;
  multiprocessors_ = 1;
  sharedBytes_ = 227 * 1024;
}

Device::~Device() = default;

void Device::copyIn(void* to, const void* from, size_t bytes) const { memcpy(to, from, bytes); }
void Device::copyOut(void* to, const void* from, size_t bytes) const { memcpy(to, from, bytes); }
void Device::synchronise() const {}

double Device::microseconds(FunctionRef<void()> work) const {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace cuda

}  // namespace vitrail
