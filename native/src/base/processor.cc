#include "processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <cstdint>
#endif

namespace vitrail {

const char* nameOf(Level level) {
  switch (level) {
    case Level::avx512bf16: return "avx512-bf16";
    case Level::avx512: return "avx512";
    case Level::avx2: return "avx2";
    default: return "portable";
  }
}

namespace {

#if defined(__x86_64__)

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  if (__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d) == 0) return {};
  return r;
}

bool bit(uint32_t word, int index) { return (word >> index & 1) != 0; }

// The registers that the operating system saves.
uint32_t savedState() {
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

Level best() {
  const Registers basic = cpuid(1, 0);
  const bool fma = bit(basic.c, 12), osxsave = bit(basic.c, 27), avx = bit(basic.c, 28), f16c = bit(basic.c, 29);
  if (!osxsave || !avx || !fma || !f16c) return Level::portable;
  const uint32_t state = savedState();
  if ((state & 0x6) != 0x6) return Level::portable;
  const Registers extended = cpuid(7, 0);
  if (!bit(extended.b, 5) || !bit(extended.b, 8)) return Level::portable;  // AVX2, BMI2
  // Opmask and both halves of the upper registers; F, DQ, BW, VL.
  const bool avx512 = (state & 0xe6) == 0xe6 && bit(extended.b, 16) && bit(extended.b, 17) && bit(extended.b, 30) &&
                      bit(extended.b, 31);
  if (!avx512) return Level::avx2;
  return bit(cpuid(7, 1).a, 5) ? Level::avx512bf16 : Level::avx512;
}

#else

Level best() { return Level::portable; }

#endif

bool compiled(Level level) {
  switch (level) {
#if defined(VITRAIL_AVX512BF16)
    case Level::avx512bf16: return true;
#endif
#if defined(VITRAIL_AVX512)
    case Level::avx512: return true;
#endif
#if defined(VITRAIL_AVX2)
    case Level::avx2: return true;
#endif
#if defined(VITRAIL_PORTABLE)
    case Level::portable: return true;
#endif
    default: return false;
  }
}

}  // namespace

std::vector<Level> usableLevels() {
  std::vector<Level> levels;
  const Level highest = best();
  for (Level level : {Level::portable, Level::avx2, Level::avx512, Level::avx512bf16}) {
    if (level <= highest && compiled(level)) levels.push_back(level);
  }
  return levels;
}

}  // namespace vitrail
