/** Which samples a step trains on: a pure function of (seed, epoch), never stored. */
import { KeyedRandom, PURPOSE } from '../../numbers/random/keyed-random.js';

/** A fixed group of samples; see MicroBatch in proto/vitrail.proto. */
export interface MicroBatch {
  readonly index: number;
  readonly samples: readonly number[];
}

/** The position of a step in its epoch. */
export interface EpochStep {
  readonly epoch: number;
  /** From 0. */
  readonly stepInEpoch: number;
  readonly lastOfEpoch: boolean;
}

/** Steps of an epoch. The last batch may be smaller than the others; it is not dropped. */
export function stepsPerEpoch(samples: number, batch: number): number {
  return Math.ceil(samples / batch);
}

export function epochStep(step: number, perEpoch: number): EpochStep {
  const epoch = Math.floor(step / perEpoch);
  const stepInEpoch = step - epoch * perEpoch;
  return { epoch, stepInEpoch, lastOfEpoch: stepInEpoch === perEpoch - 1 };
}

/** The order of `count` samples in `epoch`: Fisher-Yates on the stream (seed, shuffle, epoch). */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  const random = new KeyedRandom(seed, PURPOSE.shuffle, epoch);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}

/** Cuts samples into micro-batches of `size`; only the last may be smaller. */
export function microBatches(samples: ArrayLike<number>, size: number): MicroBatch[] {
  const list: MicroBatch[] = [];
  for (let start = 0; start < samples.length; start += size) {
    const end = Math.min(start + size, samples.length);
    const group: number[] = [];
    for (let i = start; i < end; i++) group.push(samples[i]!);
    list.push({ index: list.length, samples: group });
  }
  return list;
}

/** The micro-batches of one step of an epoch. */
export function stepMicroBatches(
  order: Uint32Array,
  stepInEpoch: number,
  batch: number,
  microBatch: number,
): MicroBatch[] {
  return microBatches(order.subarray(stepInEpoch * batch, (stepInEpoch + 1) * batch), microBatch);
}
