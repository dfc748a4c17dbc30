// Finds out which of the compiled levels this processor can run.
#pragma once
#include <string>
#include <vector>

namespace vitrail {

enum class Level { portable = 0, avx2 = 1, avx512 = 2, avx512bf16 = 3 };

const char* nameOf(Level level);

// The compiled levels that the processor and the operating system support, the lowest first.
std::vector<Level> usableLevels();

}  // namespace vitrail
