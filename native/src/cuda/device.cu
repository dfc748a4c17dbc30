// The door to CUDA's runtime library, which is linked statically and opens the driver when it is first asked.
#include "device.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <memory>

#include "../base/system-memory.h"
#include "check.h"

namespace vitrail {

void* takeFromSystem(size_t bytes) {
  void* block = nullptr;
  const cudaError_t status = cudaMalloc(&block, bytes);
  // A GPU at fault has memory enough: that is another error.
  if (status != cudaErrorMemoryAllocation) cuda::check(status, "cudaMalloc");
  // Not an error of the next launch.
  else cudaGetLastError();
  return block;
}

// A process that ends may have unloaded the driver already: nothing is left to be freed then.
void returnToSystem(void* block) {
  if (cudaFree(block) != cudaSuccess) cudaGetLastError();
}

namespace cuda {

namespace {

constexpr int kLowestCapability = 80;
// What this is compiled for, as 10 x capability, in rising order; of the last there is PTX too (native/build-cuda.mjs).
constexpr int kCompiledFor[] = {__CUDA_ARCH_LIST__};

// Code runs on later GPUs of its generation, PTX on all later ones.
bool isCompiledFor(int capability) {
  int newest = 0;
  for (const int architecture : kCompiledFor) {
    const int compiled = architecture / 10;
    if (compiled / 10 == capability / 10 && compiled <= capability) return true;
    newest = std::max(newest, compiled);
  }
  return newest <= capability;
}

DeviceInfo describe(int ordinal) {
  DeviceInfo info;
  info.ordinal = ordinal;
  cudaDeviceProp properties;
  const cudaError_t status = cudaGetDeviceProperties(&properties, ordinal);
  if (status != cudaSuccess) {
    info.problem = cudaGetErrorString(status);
    return info;
  }
  info.name = properties.name;
  info.memoryBytes = properties.totalGlobalMem;
  info.capability = properties.major * 10 + properties.minor;
  info.multiprocessors = properties.multiProcessorCount;
  if (info.capability < kLowestCapability) {
    info.problem = "compute capability " + std::to_string(properties.major) + "." + std::to_string(properties.minor) +
                   " is below 8.0 (Ampere), the first with bf16";
  } else if (!isCompiledFor(info.capability)) {
    info.problem = "this build has no code for compute capability " + std::to_string(properties.major) + "." +
                   std::to_string(properties.minor) + " (build it again on this machine)";
  }
  return info;
}

}  // namespace

DeviceList listDevices() {
  DeviceList list;
  cudaRuntimeGetVersion(&list.runtime);
  if (cudaDriverGetVersion(&list.driver) != cudaSuccess || list.driver == 0) {
    list.problem = "no NVIDIA driver is loaded (libcuda.so.1 was not found)";
    cudaGetLastError();
    return list;
  }
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    list.problem = std::string(cudaGetErrorName(status)) + ": " + cudaGetErrorString(status);
    cudaGetLastError();
  }
  for (int ordinal = 0; ordinal < count; ordinal++) list.devices.push_back(describe(ordinal));
  if (list.problem.empty() && count == 0) list.problem = "the driver knows no GPU";
  return list;
}

void Device::open(int ordinal) {
  if (ordinal == ordinal_) return;
  if (isOpen()) throw DeviceError("cuda:" + std::to_string(ordinal_) + " is in use already: one process, one GPU");
  const DeviceList list = listDevices();
  if (!list.problem.empty()) throw DeviceError(list.problem);
  const int count = static_cast<int>(list.devices.size());
  if (ordinal < 0 || ordinal >= count) {
    throw DeviceError("there is no cuda:" + std::to_string(ordinal) + ", only 0 to " + std::to_string(count - 1));
  }
  const DeviceInfo& info = list.devices[static_cast<size_t>(ordinal)];
  if (!info.problem.empty()) throw DeviceError("cuda:" + std::to_string(ordinal) + ": " + info.problem);
  // A thread that waits sleeps: others decode images meanwhile.
  check(cudaSetDeviceFlags(cudaDeviceScheduleBlockingSync), "cudaSetDeviceFlags");
  check(cudaSetDevice(ordinal), "cudaSetDevice");
  for (Stream* stream : {&stream_, &outward_, &inward_}) {
    if (*stream == nullptr) check(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking), "cudaStreamCreate");
  }
  if (mark_ == nullptr) check(cudaEventCreateWithFlags(&mark_, cudaEventDisableTiming), "cudaEventCreate");
  int shared = 0;
  check(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, ordinal), "cudaDeviceGetAttribute");
  sharedBytes_ = static_cast<size_t>(shared);
  capability_ = info.capability;
  multiprocessors_ = info.multiprocessors;
  kind_ = info.name + " " + std::to_string(info.capability) + " " + std::to_string(info.multiprocessors) + " CUDA " +
          std::to_string(list.runtime);
  ordinal_ = ordinal;
}

Device::~Device() {
  if (mark_ != nullptr) cudaEventDestroy(mark_);
  for (Stream stream : {stream_, outward_, inward_}) {
    if (stream != nullptr) cudaStreamDestroy(stream);
  }
}

void Device::copyIn(void* to, const void* from, size_t bytes) const {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "copy to the GPU");
  check(cudaStreamSynchronize(stream_), "copy to the GPU");
}

void Device::copyOut(void* to, const void* from, size_t bytes) const {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "copy from the GPU");
  check(cudaStreamSynchronize(stream_), "copy from the GPU");
}

void Device::synchronise() const { check(cudaStreamSynchronize(stream_), "kernels"); }

void Device::zero(void* at, size_t bytes) const { check(cudaMemsetAsync(at, 0, bytes, stream_), "zeroes"); }

void Device::copyWithin(void* to, const void* from, size_t bytes) const {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_), "copy on the GPU");
}

void Device::registerHost(void* data, size_t bytes) const {
  check(cudaHostRegister(data, bytes, cudaHostRegisterDefault), "registering memory of the host");
}

// As in returnToSystem: a driver that is gone has freed everything.
void Device::unregisterHost(void* data) const {
  if (cudaHostUnregister(data) != cudaSuccess) cudaGetLastError();
}

// A thread that waits for it sleeps.
struct Transfer {
  explicit Transfer(const char* what) : what(what) {
    check(cudaEventCreateWithFlags(&done, cudaEventDisableTiming | cudaEventBlockingSync), what);
  }
  ~Transfer() { cudaEventDestroy(done); }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  cudaEvent_t done = nullptr;
  const char* what;
};

namespace {

// Throws only when nothing is under way.
Transfer* start(Stream kernels, Stream stream, Event mark, void* to, const void* from, size_t bytes,
                cudaMemcpyKind kind, const char* what) {
  auto transfer = std::make_unique<Transfer>(what);
  try {
    check(cudaEventRecord(mark, kernels), what);
    check(cudaStreamWaitEvent(stream, mark, 0), what);
    check(cudaMemcpyAsync(to, from, bytes, kind, stream), what);
    check(cudaEventRecord(transfer->done, stream), what);
  } catch (const DeviceError&) {
    cudaStreamSynchronize(stream);
    throw;
  }
  return transfer.release();
}

}  // namespace

Transfer* Device::startOut(void* to, const void* from, size_t bytes) const {
  return start(stream_, outward_, mark_, to, from, bytes, cudaMemcpyDeviceToHost, "copy from the GPU");
}

Transfer* Device::startIn(void* to, const void* from, size_t bytes) const {
  return start(stream_, inward_, mark_, to, from, bytes, cudaMemcpyHostToDevice, "copy to the GPU");
}

// Not a function that the stream calls: that one is not called after an error, and nobody would learn of it.
std::string Device::finish(Transfer* transfer) const {
  const std::unique_ptr<Transfer> owned(transfer);
  try {
    check(cudaSetDevice(ordinal_), owned->what);
    check(cudaEventSynchronize(owned->done), owned->what);
  } catch (const DeviceError& error) {
    return error.what();
  }
  return "";
}

void Device::holdKernels() const {
  for (Stream copies : {outward_, inward_}) {
    check(cudaEventRecord(mark_, copies), "waiting for copies");
    check(cudaStreamWaitEvent(stream_, mark_, 0), "waiting for copies");
  }
}

double Device::microseconds(FunctionRef<void()> work) const {
  cudaEvent_t start = nullptr, end = nullptr;
  check(cudaEventCreate(&start), "cudaEventCreate");
  check(cudaEventCreate(&end), "cudaEventCreate");
  check(cudaEventRecord(start, stream_), "cudaEventRecord");
  work();
  check(cudaEventRecord(end, stream_), "cudaEventRecord");
  check(cudaEventSynchronize(end), "kernels");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, start, end), "cudaEventElapsedTime");
  cudaEventDestroy(start);
  cudaEventDestroy(end);
  return milliseconds * 1000.0;
}

}  // namespace cuda

}  // namespace vitrail
