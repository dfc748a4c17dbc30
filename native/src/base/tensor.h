// What kernels work on: a pointer, a number of elements and how they are stored.
#pragma once
#include <cstddef>
#include <cstdint>

namespace vitrail {

// The numbers are part of the addon's interface: src/worker/engine/native/kernel-api.ts repeats them.
enum class Storage : uint8_t { f32 = 0, bf16 = 1, i32 = 2, u8 = 3 };

__attribute__((always_inline)) inline size_t bytesOf(Storage storage) {
  switch (storage) {
    case Storage::bf16: return 2;
    case Storage::u8: return 1;
    default: return 4;
  }
}

// An array whose length the caller has checked. Not an owner.
struct Array {
  void* data = nullptr;
  size_t length = 0;
  Storage storage = Storage::f32;

  template <typename T> T* as() const { return static_cast<T*>(data); }
  float* f32() const { return as<float>(); }
  uint16_t* bf16() const { return as<uint16_t>(); }
  __attribute__((always_inline)) bool isBf16() const { return storage == Storage::bf16; }
  explicit operator bool() const { return data != nullptr; }
};

}  // namespace vitrail
