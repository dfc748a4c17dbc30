/** Estimates the GPU memory of a micro-batch from that of smaller ones. */
import { coded } from '../../errors/errors.js';

/** The allocator's own words (native/src/bindings/instance.cc). */
const OUT_OF_MEMORY = 'out of memory';

/**
 * The usable share of a GPU's memory. The rest is for the driver, the library's workspace, and rounding of
 * sizes.
 */
export const USABLE_SHARE = 0.9;

/** Whether an allocation on the device has failed. */
export function isOutOfMemory(thrown: unknown): thrown is RangeError {
  return thrown instanceof RangeError && thrown.message.startsWith(OUT_OF_MEMORY);
}

/**
 * The largest micro-batch that fits, if memory grows linearly: weights once, activations for each image.
 * @param limitBytes the memory that can be used
 * @param ofOne peak in bytes of a micro-batch of one image; `ofTwo` of two images; Infinity if it did not fit
 * @returns 0 if not even one image fits
 */
export function largestMicroBatch(limitBytes: number, ofOne: number, ofTwo: number): number {
  if (ofOne > limitBytes) return 0;
  const perImage = Math.max(1, ofTwo - ofOne);
  return Math.floor((limitBytes - ofOne) / perImage) + 1;
}

/**
 * Runs code that allocates memory that does not depend on the micro-batch: weights, moments, sums.
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
