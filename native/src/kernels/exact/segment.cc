#include "segment.h"

#include "../vector.h"

namespace vitrail::VITRAIL_VARIANT {

namespace {

constexpr size_t kVector = VITRAIL_VECTOR_BYTES;

VITRAIL_INLINE Words takeWords(const uint8_t* from, size_t bytes) {
  Words v{};
  if (bytes == kVector) memcpy(&v, from, kVector);
  else memcpy(&v, from, bytes);
  return v;
}
VITRAIL_INLINE void putWords(uint8_t* to, Words v, size_t bytes) {
  if (bytes == kVector) memcpy(to, &v, kVector);
  else memcpy(to, &v, bytes);
}

uint32_t total(Words v) {
  uint32_t lanes[kLanes], sum = 0;
  memcpy(lanes, &v, sizeof v);
  for (int i = 0; i < kLanes; i++) sum += lanes[i];
  return sum;
}

// Calls step(at, bytes) for each vector, two in each iteration.
template <typename Step> VITRAIL_INLINE void eachWords(size_t bytes, const Step& step) {
  size_t at = 0;
  for (; at + 2 * kVector <= bytes; at += 2 * kVector) {
    step(at, kVector);
    step(at + kVector, kVector);
  }
  for (; at + kVector <= bytes; at += kVector) step(at, kVector);
  if (at < bytes) step(at, bytes - at);
}

template <typename Add> VITRAIL_INLINE SegmentSums combine(const uint8_t* incoming, const uint8_t* mine, uint8_t* out,
                                                           size_t bytes, const Add& add) {
  Words incomingSum{}, resultSum{};
  eachWords(bytes, [&](size_t at, size_t count) {
    const Words in = takeWords(incoming + at, count);
    // Lanes beyond the end are zero, and so is their sum.
    const Words sum = add(in, takeWords(mine + at, count));
    incomingSum += in;
    resultSum += sum;
    putWords(out + at, sum, count);
  });
  return {total(incomingSum), total(resultSum)};
}

SegmentSums addIntegers(const uint8_t* incoming, const uint8_t* mine, uint8_t* out, size_t bytes) {
  return combine(incoming, mine, out, bytes, [](Words a, Words b) { return a + b; });
}

SegmentSums addFloats(const uint8_t* incoming, const uint8_t* mine, uint8_t* out, size_t bytes) {
  return combine(incoming, mine, out, bytes, [](Words a, Words b) { return (Words)((Floats)a + (Floats)b); });
}

SegmentSums copy(const uint8_t* incoming, uint8_t* out, size_t bytes) {
  Words sum{};
  eachWords(bytes, [&](size_t at, size_t count) {
    const Words in = takeWords(incoming + at, count);
    sum += in;
    putWords(out + at, in, count);
  });
  return {total(sum), total(sum)};
}

uint32_t checksum(const uint8_t* bytes, size_t count) {
  Words sum{};
  eachWords(count, [&](size_t at, size_t length) { sum += takeWords(bytes + at, length); });
  return total(sum);
}

}  // namespace

extern const SegmentKernels segmentKernels;
const SegmentKernels segmentKernels = {addIntegers, addFloats, copy, checksum};

}  // namespace vitrail::VITRAIL_VARIANT
