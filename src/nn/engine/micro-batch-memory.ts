/** Measures the GPU memory of micro-batches, and explains when one does not fit. */
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

/** Computes a micro-batch of so many images, and disposes of the tensors that it makes. */
export type Measure = (images: number) => unknown;

/**
 * The most bytes in use while a micro-batch is computed, including everything else; Infinity if it does not
 * fit.
 */
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
 * @param measure computes other numbers of images, to find out how many would fit
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
    // This is an estimate. It must not say that the size fits that has just failed.
    const fits = Math.min(images - 1, largestMicroBatch(USABLE_SHARE * memoryBytes, one!, two!));
    if (fits < 1) throw coded('DEVICE_TOO_SMALL', { device, reason });
    throw coded('DEVICE_OUT_OF_MEMORY', { device, microBatch: images, reason, fits });
  }
}
