/** Where a run's parameters lie in arrays on a GPU. */
import type { ParameterLayout } from './parameter-layout.js';

/** In elements: 256 bytes of bf16, 512 of float32. The library for products wants 256, kernels read 16 at a time. */
const ALIGNMENT = 128;

export interface DeviceLayout {
  /** [slots], in elements: multiples of 128. */
  readonly offsets: readonly number[];
  /** Of the whole array, gaps included. */
  readonly length: number;
}

/** Every slot starts at a multiple of 128 elements: the host's layout leaves no gaps and so keeps no alignment. */
export function deviceLayout({ slots }: ParameterLayout): DeviceLayout {
  const offsets: number[] = [];
  let end = 0;
  for (const { length } of slots) {
    offsets.push(end);
    end += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  }
  return { offsets, length: end };
}

/** A piece that lies in one piece on both sides. */
export interface CopyRange {
  /** In elements, on the GPU and on the host. */
  readonly offset: number;
  readonly hostOffset: number;
  readonly length: number;
}

/** All parameters in as few copies as there can be: a gap on the GPU ends one. */
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
