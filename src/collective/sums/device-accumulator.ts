/**
 * Gradient sums on a GPU, with the same bits as on the host. They are copied to shared memory when the
 * accumulator settles.
 */
import { coded } from '../../errors/errors.js';
import { exponentScale, sumLimit } from '../../numbers/exact/exponents.js';
import { deviceLayout, type DeviceLayout } from '../../run/model/device-layout.js';
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import type { GradientTensor } from '../../kernels/gradient-tensor.js';
import type { DeviceCopyKernels } from '../../kernels/kernel-api/device-copies.js';
import type { DeviceExactKernels } from '../../kernels/kernel-api/device-exact.js';
import { STORAGE, type DeviceBuffer, type MemoryKernels } from '../../kernels/kernel-api/memory.js';
import type { SumKind } from '../ring/segment-header.js';
import { checkExponents, checkSums, slotFor, type GradientAccumulator } from './gradient-accumulator.js';
import type { Vector } from './vector.js';

export type DeviceSumKernels = Pick<MemoryKernels, 'allocate' | 'release'> &
  Pick<DeviceExactKernels, 'quantiseAdd' | 'floatAdd'> &
  Pick<DeviceCopyKernels, 'clear' | 'readRange' | 'registerHost' | 'unregisterHost'>;

export class DeviceAccumulator implements GradientAccumulator {
  readonly kind: SumKind;
  readonly sums: Vector;
  readonly maxima: Float32Array;
  readonly nonFinite: Uint8Array;
  readonly #kernels: DeviceSumKernels;
  readonly #layout: ParameterLayout;
  readonly #device: DeviceLayout;
  readonly #deviceSums: DeviceBuffer;
  readonly #deviceStatistics: DeviceBuffer;
  /** [2 slots]: bits of the maximum, and whether a value was not finite. */
  readonly #statistics: Int32Array;
  #exponents = new Int32Array(0);
  #microBatches = 1;
  /** Slots whose sums have changed since they were last sent to the host. */
  readonly #changed = new Set<number>();
  readonly #underWay: Promise<void>[] = [];

  /** @param sums [layout.length], on a SharedArrayBuffer */
  constructor(kernels: DeviceSumKernels, layout: ParameterLayout, kind: SumKind, sums: Vector) {
    checkSums(sums, layout);
    const slots = layout.slots.length;
    this.kind = kind;
    this.sums = sums;
    this.maxima = new Float32Array(slots);
    this.nonFinite = new Uint8Array(slots);
    this.#kernels = kernels;
    this.#layout = layout;
    this.#device = deviceLayout(layout);
    const storage = kind === 'exact' ? STORAGE.i32 : STORAGE.f32;
    this.#deviceSums = kernels.allocate({ length: this.#device.length, storage });
    this.#deviceStatistics = kernels.allocate({ length: 2 * slots, storage: STORAGE.i32 });
    this.#statistics = new Int32Array(new SharedArrayBuffer(8 * slots));
    kernels.registerHost({ array: sums });
    kernels.registerHost({ array: this.#statistics });
  }

  begin(exponents: Int32Array, microBatches: number): void {
    if (this.kind === 'exact') checkExponents(exponents, this.#layout);
    this.#exponents = exponents.slice();
    this.#microBatches = microBatches;
    this.#kernels.clear({ buffer: this.#deviceSums });
    this.#kernels.clear({ buffer: this.#deviceStatistics });
    // Sums for which no gradient comes must be zero on the host too.
    for (const slot of this.#layout.slots.keys()) this.#changed.add(slot);
  }

  add(slotIndex: number, gradient: GradientTensor, last = false): void {
    const { length } = slotFor(this.#layout.slots, slotIndex, gradient.length);
    if (gradient.buffer === undefined)
      throw coded('INTERNAL', { reason: 'a gradient that is not on the GPU' });
    const by = {
      gradient: gradient.buffer,
      sums: this.#deviceSums,
      offset: this.#device.offsets[slotIndex]!,
      length,
      statistics: this.#deviceStatistics,
      slot: slotIndex,
    };
    if (this.kind === 'exact') {
      const microBatches = this.#microBatches;
      const scale = exponentScale(this.#exponents[slotIndex]!);
      this.#kernels.quantiseAdd({ ...by, scale, limit: sumLimit(microBatches), microBatches });
    } else {
      this.#kernels.floatAdd(by);
    }
    this.#changed.add(slotIndex);
    if (last) this.#send(slotIndex);
  }

  async settle(): Promise<void> {
    for (const slot of [...this.#changed]) this.#send(slot);
    const { length } = this.#statistics;
    this.#underWay.push(
      this.#kernels.readRange({
        buffer: this.#deviceStatistics,
        offset: 0,
        length,
        values: this.#statistics,
        valuesOffset: 0,
      }),
    );
    await Promise.all(this.#underWay.splice(0));
    const bits = new Float32Array(this.#statistics.buffer);
    for (let slot = 0; slot < this.maxima.length; slot++) {
      this.maxima[slot] = bits[2 * slot]!;
      this.nonFinite[slot] = this.#statistics[2 * slot + 1]!;
    }
  }

  dispose(): void {
    this.#kernels.unregisterHost({ array: this.sums });
    this.#kernels.unregisterHost({ array: this.#statistics });
    this.#kernels.release(this.#deviceSums);
    this.#kernels.release(this.#deviceStatistics);
  }

  /** The copy begins when the kernels so far are done, and runs while later ones do. */
  #send(slotIndex: number): void {
    const { offset, length } = this.#layout.slots[slotIndex]!;
    this.#changed.delete(slotIndex);
    const sent = this.#kernels.readRange({
      buffer: this.#deviceSums,
      offset: this.#device.offsets[slotIndex]!,
      length,
      values: this.sums,
      valuesOffset: offset,
    });
    // settle() reports a failure. Until then the rejection must not count as unhandled.
    sent.catch(() => undefined);
    this.#underWay.push(sent);
  }
}
