/** The multipliers that dropout applies, as a pure function of where and when. */
import { PURPOSE } from '../../shared/random/keyed-random.js';
import { philoxFill } from '../../shared/random/philox-fill.js';

/** What a micro-batch's dropout follows from, besides the place in the network. */
export interface DropoutKey {
  /** Probability of zeroing an element, in [0, 1); applied in units of 2^-16. */
  readonly rate: number;
  readonly seed: number;
  readonly step: number;
  /** Index of the micro-batch within its step. */
  readonly microBatch: number;
}

/** `length` multipliers: 0, or 1 / (1 - rate). Each takes 16 bits of the Philox stream. */
export function dropoutMask(key: DropoutKey, site: number, length: number): Float32Array {
  const bits = new Uint16Array(Math.ceil(length / 8) * 8);
  philoxFill([key.seed, PURPOSE.dropout], [site, key.microBatch, key.step], new Uint32Array(bits.buffer));
  const dropBelow = Math.round(key.rate * 0x10000);
  const kept = 1 / (1 - key.rate);
  const mask = new Float32Array(length);
  for (let i = 0; i < length; i++) mask[i] = bits[i]! < dropBelow ? 0 : kept;
  return mask;
}
