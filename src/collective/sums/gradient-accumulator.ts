/** Adds up the gradients of a worker's micro-batches before the ring: as exact integers, or in plain fp32. */
import { coded } from '../../errors/errors.js';
import type { ParameterLayout, ParameterSlot } from '../../run/model/parameter-layout.js';
import type { GradientTensor } from '../../kernels/gradient-tensor.js';
import type { ExactKernels } from '../../kernels/kernel-api/exact.js';
import type { DeviceBuffer, HostMemoryKernels, MemoryKernels } from '../../kernels/kernel-api/memory.js';
import type { SumKind } from '../ring/segment-header.js';
import type { Vector } from './vector.js';

export interface GradientAccumulator {
  readonly kind: SumKind;
  /** [layout.length]: the sums of this worker, which the ring calls `mine`. */
  readonly sums: Vector;
  /** [slots]: the largest finite |g| of each tensor over this worker's micro-batches. */
  readonly maxima: Float32Array;
  /** [slots]: 1 if a gradient held NaN or Infinity. Such values are left out of `sums` and `maxima`. */
  readonly nonFinite: Uint8Array;
  /**
   * Starts a step, or its repetition, from zero. The fp32 accumulator does not use the arguments.
   * @param exponents [slots]
   * @param microBatches in the whole step, over all workers
   */
  begin(exponents: Int32Array, microBatches: number): void;
  /**
   * Adds one micro-batch's gradient of one tensor, [slot.length].
   * @param last whether this is probably the tensor's last gradient of the step, so that its sums may be copied to the host
   */
  add(slotIndex: number, gradient: GradientTensor, last?: boolean): void;
  /** Afterwards `sums`, `maxima` and `nonFinite` hold everything that was added. Before, they may not. */
  settle(): Promise<void>;
}

/** The kernels that can replace the sums in JavaScript. */
export type SumKernels = ExactKernels & HostMemoryKernels & Pick<MemoryKernels, 'release'>;

/** What was found while adding a gradient. */
export interface Added {
  /** The largest finite |g|; 0 if there is none. */
  readonly maximum: number;
  readonly nonFinite: boolean;
}

/** The common part of both accumulators, which differ in how they add. */
export abstract class AccumulatorState<V extends Vector> {
  readonly sums: V;
  readonly maxima: Float32Array;
  readonly nonFinite: Uint8Array;
  readonly #layout: ParameterLayout;
  readonly #kernels: SumKernels | undefined;

  /**
   * @param sums [layout.length], usually on a SharedArrayBuffer
   * @param kernels do the work if they are given, with the same bits
   */
  constructor(layout: ParameterLayout, sums: V, kernels?: SumKernels) {
    checkSums(sums, layout);
    this.#layout = layout;
    this.#kernels = kernels;
    this.sums = sums;
    this.maxima = new Float32Array(layout.slots.length);
    this.nonFinite = new Uint8Array(layout.slots.length);
  }

  add(slotIndex: number, gradient: GradientTensor): void {
    const slot = slotFor(this.#layout.slots, slotIndex, gradient.length);
    const kernels = this.#kernels;
    const { maximum, nonFinite } =
      kernels === undefined
        ? this.addHost(slotIndex, slot, gradient.hostValues())
        : onDevice(kernels, gradient, (buffer) => this.addDevice(slotIndex, slot, buffer, kernels));
    if (maximum > this.maxima[slotIndex]!) this.maxima[slotIndex] = maximum;
    if (nonFinite) this.nonFinite[slotIndex] = 1;
  }

  /** Everything is on the host anyway. */
  settle(): Promise<void> {
    return Promise.resolve();
  }

  protected clear(): void {
    this.sums.fill(0);
    this.maxima.fill(0);
    this.nonFinite.fill(0);
  }

  /** @param values [slot.length] */
  protected abstract addHost(slotIndex: number, slot: ParameterSlot, values: Float32Array): Added;

  /** @param gradient [slot.length], f32 */
  protected abstract addDevice(
    slotIndex: number,
    slot: ParameterSlot,
    gradient: DeviceBuffer,
    kernels: SumKernels,
  ): Added;
}

function onDevice(
  kernels: SumKernels,
  gradient: GradientTensor,
  add: (buffer: DeviceBuffer) => Added,
): Added {
  if (gradient.buffer !== undefined) return add(gradient.buffer);
  const buffer = kernels.wrap({ values: gradient.hostValues() });
  try {
    return add(buffer);
  } finally {
    kernels.release(buffer);
  }
}

/** @throws INTERNAL */
export function checkSums(sums: Vector, { length }: ParameterLayout): void {
  if (sums.length === length) return;
  throw coded('INTERNAL', { reason: `${sums.length} sums for ${length} parameters` });
}

/**
 * Checks that there is one for each tensor, because values of a tensor without one would be left out. @throws
 * INTERNAL
 */
export function checkExponents(exponents: Int32Array, { slots }: ParameterLayout): void {
  if (exponents.length === slots.length) return;
  throw coded('INTERNAL', { reason: `${exponents.length} exponents for ${slots.length} tensors` });
}

/** The slot, if `length` values can be its gradient. @throws INTERNAL */
export function slotFor(slots: readonly ParameterSlot[], slotIndex: number, length: number): ParameterSlot {
  const slot = slots[slotIndex];
  if (slot === undefined) throw coded('INTERNAL', { reason: `no tensor ${slotIndex}` });
  if (length !== slot.length) {
    throw coded('INTERNAL', { reason: `${length} values for ${slot.name} of ${slot.length}` });
  }
  return slot;
}
