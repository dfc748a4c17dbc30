// The operands of kernels: a pointer, a number of elements and how they are stored.
#pragma once
#include <cstddef>
#include <cstdint>

// Marks functions that run on the processor and, in the CUDA build, also on the GPU.
#if defined(__CUDACC__)
#define VITRAIL_BOTH __host__ __device__
#else
#define VITRAIL_BOTH
#endif

namespace vitrail {

// The numbers are part of the addon's interface: src/kernels/kernel-api.ts repeats them.
enum class Storage : uint8_t { f32 = 0, bf16 = 1, i32 = 2, u8 = 3 };

__attribute__((always_inline)) VITRAIL_BOTH inline size_t bytesOf(Storage storage) {
  switch (storage) {
    case Storage::bf16: return 2;
    case Storage::u8: return 1;
    default: return 4;
  }
}

// An array whose length the caller has checked. It does not own its memory.
struct Array {
  void* data = nullptr;
  size_t length = 0;
  Storage storage = Storage::f32;

  template <typename T> VITRAIL_BOTH T* as() const { return static_cast<T*>(data); }
  VITRAIL_BOTH float* f32() const { return as<float>(); }
  VITRAIL_BOTH uint16_t* bf16() const { return as<uint16_t>(); }
  __attribute__((always_inline)) VITRAIL_BOTH bool isBf16() const { return storage == Storage::bf16; }
  VITRAIL_BOTH explicit operator bool() const { return data != nullptr; }
};

}  // namespace vitrail
