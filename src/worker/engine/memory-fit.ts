/** What a micro-batch needs of a GPU's memory, from what smaller ones needed. */

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
 * @param ofOne peak in bytes of a micro-batch of one image; `ofTwo` of two
 * @returns 0 where not even one fits
 */
export function largestMicroBatch(limitBytes: number, ofOne: number, ofTwo: number): number {
  const perImage = Math.max(1, ofTwo - ofOne);
  return Math.max(0, Math.floor((limitBytes - ofOne) / perImage) + 1);
}
