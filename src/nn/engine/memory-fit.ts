/** What a micro-batch needs of a GPU's memory, from what smaller ones needed. */
import { coded } from '../../errors/errors.js';

/** The allocator's own words (native/src/bindings/instance.cc). */
const OUT_OF_MEMORY = 'out of memory';

/** Of a GPU's memory; the rest is the driver's, the library's workspace, and what sizes round up to. */
export const USABLE_SHARE = 0.9;

export function isOutOfMemory(thrown: unknown): thrown is RangeError {
  return thrown instanceof RangeError && thrown.message.startsWith(OUT_OF_MEMORY);
}

/**
 * The largest micro-batch that fits, if memory grows in a straight line: weights once, activations for each image.
 * @param limitBytes that can be had
 * @param ofOne peak in bytes of a micro-batch of one image; `ofTwo` of two; Infinity where it did not fit
 * @returns 0 where not even one fits
 */
export function largestMicroBatch(limitBytes: number, ofOne: number, ofTwo: number): number {
  if (ofOne > limitBytes) return 0;
  const perImage = Math.max(1, ofTwo - ofOne);
  return Math.floor((limitBytes - ofOne) / perImage) + 1;
}

/**
 * Runs what allocates memory that no micro-batch changes: weights, moments, sums.
 * @param device its name
 * @throws DEVICE_TOO_SMALL in place of the allocator's error
 */
export function withinDevice<T>(device: string, run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    if (!isOutOfMemory(thrown)) throw thrown;
    throw coded('DEVICE_TOO_SMALL', { device, reason: thrown.message });
  }
}
