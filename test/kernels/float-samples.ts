/** Floats to test kernels with: ordinary ones, all magnitudes, and the special cases of IEEE 754. */
import { KeyedRandom, PURPOSE } from '../../src/numbers/random/keyed-random.js';

const SPECIAL = Float32Array.of(
  ...[NaN, Infinity, -Infinity, 0, -0, 0.5, 1.5, -2.5, 1, -1],
  ...[2 ** -149, -(2 ** -149), 2 ** -126, 3.4028234663852886e38, -3.4028234663852886e38, 2 ** 31, -(2 ** 31)],
);

/** Empty, one, around the widths of vectors, odd, around and above what a thread takes at a time. */
export const LENGTHS = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 1001, 32_767, 32_769, 70_001,
];

export type Mixture = 'normal' | 'any' | 'special';

/** [length]; the same for the same arguments. */
export function floats(length: number, seed: number, mixture: Mixture): Float32Array {
  const random = new KeyedRandom(seed, PURPOSE.demo);
  const values = new Float32Array(new SharedArrayBuffer(4 * length));
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < length; i++) {
    if (mixture === 'normal') values[i] = random.normal();
    else words[i] = random.uint32();
    const finite = Number.isFinite(values[i]);
    if (mixture === 'any' && !finite) values[i] = 1;
    if (mixture === 'special' && random.below(4) === 0) values[i] = SPECIAL[random.below(SPECIAL.length)]!;
  }
  return values;
}

/** The bits, where all NaN are one: their payload is no result. */
export function bitsOf(values: Float32Array): Int32Array {
  const bits = new Int32Array(values.length);
  new Float32Array(bits.buffer).set(values);
  values.forEach((value, i) => {
    if (Number.isNaN(value)) bits[i] = 0x7fc00000;
  });
  return bits;
}
