// Which of the compiled kernels this processor can run.
#pragma once
#include <string>
#include <vector>

namespace vitrail {

enum class Level { portable = 0, avx2 = 1, avx512 = 2, avx512bf16 = 3 };

const char* nameOf(Level level);

// Levels that are compiled in and that processor and operating system support, the lowest first.
std::vector<Level> usableLevels();

}  // namespace vitrail
