// Every kernel file is compiled once for each level of processor (see processor.h), in a namespace of its own.
// So kernel code must not use inline functions and templates of the standard library: the linker would merge
// their copies, and an old processor could run an instruction that it does not have.
#pragma once
#include <cstddef>
#include <cstdint>

#if defined(VITRAIL_LEVEL_AVX512BF16)
#define VITRAIL_VARIANT avx512bf16
#define VITRAIL_VECTOR_BYTES 64
#elif defined(VITRAIL_LEVEL_AVX512)
#define VITRAIL_VARIANT avx512
#define VITRAIL_VECTOR_BYTES 64
#elif defined(VITRAIL_LEVEL_AVX2)
#define VITRAIL_VARIANT avx2
#define VITRAIL_VECTOR_BYTES 32
#else
#define VITRAIL_VARIANT portable
#define VITRAIL_VECTOR_BYTES 16
#endif

#if defined(__x86_64__)
// Before version 13, GCC's own header means "any value" by a variable that is initialised with itself, and GCC warns of
// its own lines (https://gcc.gnu.org/bugzilla/show_bug.cgi?id=105593). Lines of ours are looked at all the same.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif
#endif

#define VITRAIL_INLINE inline __attribute__((always_inline))
