/** Memory of a GPU that micro-batches take: measured, and told where one does not fit. */
import { tf } from '../tfjs.js';
import { coded } from '../../errors/errors.js';
import type { GpuKernels } from '../../kernels/kernel-api.js';
import { isOutOfMemory, largestMicroBatch, USABLE_SHARE } from './memory-fit.js';

export interface MeasuredGpu {
  readonly gpu: GpuKernels;
  /** Its number. */
  readonly ordinal: number;
  /** Its name for errors. */
  readonly device: string;
}

/** Computes a micro-batch of so many images; tensors that it makes are disposed of. */
export type Measure = (images: number) => unknown;

/** Most bytes in use at a time while a micro-batch is computed, all else included; Infinity where it does not fit. */
export function peakBytesOf(gpu: GpuKernels, images: number, measure: Measure): number {
  gpu.trimMemory();
  try {
    tf.tidy(() => void measure(images));
  } catch (thrown) {
    if (isOutOfMemory(thrown)) return Infinity;
    throw thrown;
  }
  return gpu.memory().peakBytesTaken;
}

/**
 * Computes a micro-batch.
 * @param measure the same for other numbers of images, to tell how many would fit
 * @throws DEVICE_OUT_OF_MEMORY, DEVICE_TOO_SMALL in place of the allocator's error
 */
export function withinMemory<T>(
  { gpu, ordinal, device }: MeasuredGpu,
  images: number,
  run: () => T,
  measure: Measure,
): T {
  try {
    return run();
  } catch (thrown) {
    if (!isOutOfMemory(thrown)) throw thrown;
    const reason = thrown.message;
    const memoryBytes = gpu.devices().devices.find((found) => found.ordinal === ordinal)?.memoryBytes ?? 0;
    const [one, two] = [1, 2].map((count) => peakBytesOf(gpu, count, measure));
    // An estimate: of what has just failed it is not to be said that it fits.
    const fits = Math.min(images - 1, largestMicroBatch(USABLE_SHARE * memoryBytes, one!, two!));
    if (fits < 1) throw coded('DEVICE_TOO_SMALL', { device, reason });
    throw coded('DEVICE_OUT_OF_MEMORY', { device, microBatch: images, reason, fits });
  }
}
