/** The positions of a run's parameters in arrays on a GPU. */
import type { ParameterLayout } from './parameter-layout.js';

/**
 * In elements: 256 bytes of bf16, 512 of float32. cuBLASLt needs an alignment of 256 bytes; our kernels read
 * 16 bytes at a time.
 */
const ALIGNMENT = 128;

export interface DeviceLayout {
  /** [slots], in elements: multiples of 128. */
  readonly offsets: readonly number[];
  /** Elements of the whole array, gaps included. */
  readonly length: number;
}

/**
 * Every slot starts at a multiple of 128 elements. (The host's layout has no gaps, so its slots are not
 * aligned.)
 */
export function deviceLayout({ slots }: ParameterLayout): DeviceLayout {
  const offsets: number[] = [];
  let end = 0;
  for (const { length } of slots) {
    offsets.push(end);
    end += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  }
  return { offsets, length: end };
}

/** A range of elements that is contiguous on the GPU and on the host. */
export interface CopyRange {
  /** Positions in elements, on the GPU and on the host. */
  readonly offset: number;
  readonly hostOffset: number;
  readonly length: number;
}

/** All parameters in as few copies as possible; every gap on the GPU ends a copy. */
export function copyRanges(layout: ParameterLayout): readonly CopyRange[] {
  const { offsets } = deviceLayout(layout);
  const ranges: CopyRange[] = [];
  for (const [i, { offset: hostOffset, length }] of layout.slots.entries()) {
    const offset = offsets[i]!;
    const last = ranges.at(-1);
    if (
      last !== undefined &&
      last.offset + last.length === offset &&
      last.hostOffset + last.length === hostOffset
    ) {
      ranges[ranges.length - 1] = { ...last, length: last.length + length };
    } else ranges.push({ offset, hostOffset, length });
  }
  return ranges;
}
