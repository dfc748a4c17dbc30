// Declares a group of kernels in every compiled level, and chooses the level that is asked for.
#pragma once
#include "../base/processor.h"

#if defined(VITRAIL_PORTABLE)
#define VITRAIL_IF_PORTABLE(...) __VA_ARGS__
#else
#define VITRAIL_IF_PORTABLE(...)
#endif
#if defined(VITRAIL_AVX2)
#define VITRAIL_IF_AVX2(...) __VA_ARGS__
#else
#define VITRAIL_IF_AVX2(...)
#endif
#if defined(VITRAIL_AVX512)
#define VITRAIL_IF_AVX512(...) __VA_ARGS__
#else
#define VITRAIL_IF_AVX512(...)
#endif
#if defined(VITRAIL_AVX512BF16)
#define VITRAIL_IF_AVX512BF16(...) __VA_ARGS__
#else
#define VITRAIL_IF_AVX512BF16(...)
#endif

#if defined(VITRAIL_CUDA)

// On a GPU a group has only one form, because there are no levels.
#define VITRAIL_KERNEL_GROUP(Type, name) \
  namespace cuda {                       \
  extern const Type name;                \
  }                                      \
  inline const Type& name(Level) { return cuda::name; }
#define VITRAIL_KERNEL_GROUP_WITH_BF16 VITRAIL_KERNEL_GROUP

#else

// `Type` is a struct of function pointers, `name` the constant of that type that the group's .cc file defines in
// namespace vitrail::VITRAIL_VARIANT. Use inside namespace vitrail, with one of usableLevels().
#define VITRAIL_DECLARE_LEVELS(Type, name)                            \
  VITRAIL_IF_PORTABLE(namespace portable { extern const Type name; }) \
  VITRAIL_IF_AVX2(namespace avx2 { extern const Type name; })         \
  VITRAIL_IF_AVX512(namespace avx512 { extern const Type name; })

#define VITRAIL_CHOOSE_LEVEL(name)                                    \
  VITRAIL_IF_AVX512(if (level >= Level::avx512) return avx512::name;) \
  VITRAIL_IF_AVX2(if (level >= Level::avx2) return avx2::name;)       \
  VITRAIL_IF_PORTABLE(return portable::name;)                         \
  __builtin_unreachable();

#define VITRAIL_KERNEL_GROUP(Type, name) \
  VITRAIL_DECLARE_LEVELS(Type, name)     \
  inline const Type& name([[maybe_unused]] Level level) { VITRAIL_CHOOSE_LEVEL(name) }

// A group that uses bf16 instructions. build.mjs compiles it for that level too.
#define VITRAIL_KERNEL_GROUP_WITH_BF16(Type, name)                                  \
  VITRAIL_DECLARE_LEVELS(Type, name)                                                \
  VITRAIL_IF_AVX512BF16(namespace avx512bf16 { extern const Type name; })           \
  inline const Type& name([[maybe_unused]] Level level) {                           \
    VITRAIL_IF_AVX512BF16(if (level == Level::avx512bf16) return avx512bf16::name;) \
    VITRAIL_CHOOSE_LEVEL(name)                                                      \
  }

#endif
