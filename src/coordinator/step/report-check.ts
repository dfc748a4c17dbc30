/**
 * Checks whether a worker's report can be true. It could be decoded, but a defective or hostile peer may say
 * anything. Pure.
 */
import { coded, type VitrailError } from '../../errors/errors.js';
import type { Body } from '../../wire/codec.js';

const SHA256_BYTES = 32;

const isCount = (value: number, most: number): boolean =>
  Number.isInteger(value) && value >= 0 && value <= most;

function stepProblem(done: Body<'stepDone'>, samples: number, tensors: number): string | null {
  if (done.samples !== samples) return `${done.samples} samples where it was given ${samples}`;
  if (!isCount(done.correct, samples)) return `${done.correct} correct of ${samples}`;
  if (!Number.isSafeInteger(done.lossSum)) return `a loss sum of ${done.lossSum}`;
  if (done.digest.length !== SHA256_BYTES) return `a digest of ${done.digest.length} bytes`;
  if (done.maxima.length !== tensors) return `${done.maxima.length} maxima for ${tensors} tensors`;
  if (!done.maxima.every((maximum) => maximum >= 0 && maximum < Infinity)) return 'a maximum that is none';
  if (!done.nonFinite.every((slot) => isCount(slot, tensors - 1))) return 'a tensor that does not exist';
  return null;
}

function evaluationProblem(done: Body<'evaluationDone'>, samples: number, classes: number): string | null {
  if (done.predictions.length !== samples)
    return `${done.predictions.length} predictions for ${samples} images`;
  if (!done.predictions.every((label) => isCount(label, classes - 1))) return 'a class that does not exist';
  if (!isCount(done.correct, samples)) return `${done.correct} correct of ${samples}`;
  if (!Number.isSafeInteger(done.lossSum)) return `a loss sum of ${done.lossSum}`;
  return null;
}

function garbage(worker: number, reason: string | null): VitrailError | null {
  return reason === null ? null : coded('PROTOCOL_GARBAGE', { peer: `worker ${worker}`, reason });
}

/** @param samples in the micro-batches that the worker was given. @returns what is wrong, or null */
export function stepReportError(
  worker: number,
  done: Body<'stepDone'>,
  samples: number,
  tensors: number,
): VitrailError | null {
  return garbage(worker, stepProblem(done, samples, tensors));
}

/** @param samples images that the worker was given. @returns what is wrong, or null */
export function evaluationReportError(
  worker: number,
  done: Body<'evaluationDone'>,
  samples: number,
  classes: number,
): VitrailError | null {
  return garbage(worker, evaluationProblem(done, samples, classes));
}
