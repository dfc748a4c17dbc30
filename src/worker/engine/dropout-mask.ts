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

/** Words made at a time: they stay in the first-level cache. */
const WORDS = 2048;

/**
 * `length` multipliers: 0, or 1 / (1 - rate). Element i takes 16 bits of the Philox stream, the low half of word
 * i / 2 for even i and the high half for odd i.
 */
export function dropoutMask(key: DropoutKey, site: number, length: number): Float32Array {
  const dropBelow = Math.round(key.rate * 0x10000);
  const kept = 1 / (1 - key.rate);
  const words = new Uint32Array(WORDS);
  const mask = new Float32Array(length);
  for (let start = 0; start < length; start += 2 * WORDS) {
    const path = [site, key.microBatch, key.step] as const;
    philoxFill([key.seed, PURPOSE.dropout], path, words, (start / 8) >>> 0);
    const end = Math.min(length, start + 2 * WORDS);
    for (let i = start; i < end; i++) {
      const half = (words[(i - start) >>> 1]! >>> ((i & 1) << 4)) & 0xffff;
      // The sign bit of the difference: a branch here would be mispredicted once in 1 / rate elements.
      mask[i] = kept * ((dropBelow - 1 - half) >>> 31);
    }
  }
  return mask;
}
