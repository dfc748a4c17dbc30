/** Where a run's parameters lie in arrays on a GPU. */
import type { ParameterLayout } from './parameter-layout.js';

/** In elements: 256 bytes of float32, 128 of bf16; kernels read 16 at a time and libraries want as much. */
const ALIGNMENT = 64;

export interface DeviceLayout {
  /** [slots], in elements: multiples of 64. */
  readonly offsets: readonly number[];
  /** Of the whole array, gaps included. */
  readonly length: number;
}

/** Every slot starts at a multiple of 64 elements: the host's layout leaves no gaps and so keeps no alignment. */
export function deviceLayout({ slots }: ParameterLayout): DeviceLayout {
  const offsets: number[] = [];
  let end = 0;
  for (const { length } of slots) {
    offsets.push(end);
    end += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  }
  return { offsets, length: end };
}
