// The softmax of attention and its gradient, on columns of scores. A vector holds queries, and keys are in
// rows, so that maxima and sums need no steps across lanes.
#pragma once
#include "attention-pack.h"
#include "math.h"

namespace vitrail::VITRAIL_VARIANT {

// e^x for x not much above 0, to 2 units in the last place; 0 below -87.3; NaN stays NaN. See exponential() in
// math.h.
VITRAIL_INLINE Floats powerOfE(Floats x) {
#if VITRAIL_VECTOR_BYTES == 64
  constexpr float kRounder = 12582912.0f, kHigh = 0.693359375f, kLow = -2.12194440e-4f;
  // NaN passes, -infinity would become NaN.
  const Floats held = (Floats)_mm512_max_ps((__m512)splat(-90), (__m512)x);
  const Floats n = (held * 1.44269504f + kRounder) - kRounder;
  const Floats r = (held - n * kHigh) - n * kLow;
  Floats p = r * 0.0013811665f + 0.0083701387f;
  p = p * r + 0.041668527f;
  p = p * r + 0.16666509f;
  p = p * r + 0.49999994f;
  p = p * (r * r) + r + 1.0f;
  const __mmask16 above = _mm512_cmp_ps_mask((__m512)x, (__m512)splat(-87.3f), _CMP_NLT_UQ);
  return (Floats)_mm512_maskz_scalef_ps(above, (__m512)p, (__m512)n);
#else
  return exponential(x);
#endif
}

// ln x for finite x >= 1, relative error below 1e-7 beyond 1 + 1e-6; NaN stays NaN.
VITRAIL_INLINE Floats logarithm(Floats x) {
  // x = 2^n m with m from sqrt(1/2) to sqrt(2); ln m = 2 artanh t, t = (m - 1) / (m + 1).
  const Ints n = ((Ints)x - splatInt(0x3f3504f3)) >> 23;
  const Floats m = (Floats)((Ints)x - (n << 23));
  const Floats t = (m - 1.0f) / (m + 1.0f);
  const Floats squared = t * t;
  Floats series = squared * 0.111111111f + 0.142857143f;
  series = series * squared + 0.2f;
  series = series * squared + 0.333333333f;
  const Floats whole = __builtin_convertvector(n, Floats);
  const Floats y = whole * 0.693147181f + (t + t) * (series * squared + 1.0f);
  return select(x == x, y, x);
}

VITRAIL_INLINE Floats roundedIf(bool round, Floats v) { return round ? widen(narrow(v)) : v; }

// Scores [keys, stride] of queries in columns become e^(scale (score - largest)): floats in place, or, as pairs of
// keys, [keys / 2, stride] words in place. Of each query, inverse: 1 / their sum; logSum: the logarithm of the sum of
// e^(scale score).
template <bool kPairs> void softmaxColumns(float* scores, size_t keys, size_t stride, size_t vectors, float scale,
                                           bool round, float* inverse, float* logSum) {
  for (size_t vector = 0; vector < vectors; vector++) {
    float* column = scores + vector * kLanes;
    // Ignores NaN; the sum below does not.
    Floats largest = splat(-__builtin_inff());
    for (size_t key = 0; key < keys; key++) largest = maximum(load(column + key * stride), largest);
    Floats sum{};
    for (size_t key = 0; key < keys; key += kPairs ? 2 : 1) {
      const Floats power = powerOfE((load(column + key * stride) - largest) * scale);
      sum += power;
      if (!kPairs) {
        store(column + key * stride, roundedIf(round, power));
        continue;
      }
      Floats next{};
      if (key + 1 < keys) next = powerOfE((load(column + (key + 1) * stride) - largest) * scale);
      sum += next;
      store(column + key / 2 * stride, pairUp(power, next));
    }
    store(inverse + vector * kLanes, 1.0f / sum);
    store(logSum + vector * kLanes, largest * scale + logarithm(sum));
  }
}

// The arrays of a block of queries in the backward pass. All are [keys, stride] words, where stride is an even
// number of vectors.
struct ScoreGradients {
  // In: scores. Out: probabilities, with queries in the direction of the sum (pairs: [keys, stride / 2] of stride).
  float* scores;
  // In: gradients of probabilities. Out: gradients of scaled scores, as `scores`.
  float* gradients;
  // Out, for pairs only: the same with keys in the direction of the sum, [keys / 2, stride].
  float* gradientsOfKeys;
  size_t keys, queries, stride;
  float scale;
  bool round;
  // One value for each query, padded to whole vectors.
  const float *logSum, *delta;
};

// P = e^(scale score - logSum), dS = P (dP - delta).
struct ScoreGradient {
  Floats p, ds;
};
VITRAIL_INLINE ScoreGradient scoreGradient(const ScoreGradients& g, size_t key, size_t vector) {
  const size_t at = key * g.stride + vector * kLanes;
  if (key >= g.keys || vector * kLanes >= g.queries) return {Floats{}, Floats{}};
  Floats p = powerOfE(load(g.scores + at) * g.scale - load(g.logSum + vector * kLanes));
  Floats ds = p * (load(g.gradients + at) - load(g.delta + vector * kLanes));
  const size_t count = g.queries - vector * kLanes;
  if (count < kLanes) {
    // Padding may hold NaN.
    const Ints inside = firstLanes(count);
    p = select(inside, p, splat(0)), ds = select(inside, ds, splat(0));
  }
  return {p, ds};
}

template <bool kPairs> void softmaxGradient(const ScoreGradients& g) {
  const size_t vectors = vectorsOf(g.queries);
  if (!kPairs) {
    for (size_t key = 0; key < g.keys; key++) {
      for (size_t vector = 0; vector < vectors; vector++) {
        const ScoreGradient one = scoreGradient(g, key, vector);
        store(g.scores + key * g.stride + vector * kLanes, roundedIf(g.round, one.p));
        store(g.gradients + key * g.stride + vector * kLanes, roundedIf(g.round, one.ds));
      }
    }
    return;
  }
  for (size_t key = 0; key < g.keys; key += 2) {
    for (size_t vector = 0; vector < vectors; vector += 2) {
      ScoreGradient of[2][2];
      for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++) of[i][j] = scoreGradient(g, key + i, vector + j);
      }
      // Half a row of words, written over values that were read already.
      const size_t at = key * g.stride + vector / 2 * kLanes;
      for (size_t i = 0; i < 2 && key + i < g.keys; i++) {
        store(g.scores + at + i * g.stride, chain(of[i][0].p, of[i][1].p));
        store(g.gradients + at + i * g.stride, chain(of[i][0].ds, of[i][1].ds));
      }
      float* ofKeys = g.gradientsOfKeys + key / 2 * g.stride + vector * kLanes;
      store(ofKeys, pairUp(of[0][0].ds, of[1][0].ds));
      if (vector + 1 < vectors) store(ofKeys + kLanes, pairUp(of[0][1].ds, of[1][1].ds));
    }
  }
}

}  // namespace vitrail::VITRAIL_VARIANT
