/** What a worker reports of a step, for tests. */
import type { StepReport } from '../../../src/coordinator/step/step-outcome.js';
import type { Body } from '../../../src/wire/codec.js';

export function report(
  worker: number,
  changes: Partial<Body<'stepDone'>> = {},
  times: Partial<Body<'stepDone'>['timings']> = {},
): StepReport {
  const timings = {
    dataMs: 0,
    computeMs: 0,
    quantiseMs: 0,
    reduceWaitMs: 0,
    reduceSumMs: 0,
    reduceTotalMs: 0,
    totalMs: 0,
    bytesSent: 0,
    bytesReceived: 0,
    prefetchDepth: 0,
    digestMs: 0,
    microBatches: 1,
    ...times,
  };
  const done: Body<'stepDone'> = {
    step: 4,
    generation: 9,
    digest: Uint8Array.of(0xab, 0xcd),
    lossSum: 2 ** 24,
    correct: 3,
    samples: 8,
    maxima: [0.5, 2],
    nonFinite: [],
    lossNotFinite: false,
    lossNotFiniteAt: 0,
    timings,
    ...changes,
  };
  return { worker, done };
}
