/** Rounds to IEEE 754 half precision. Pure. */

const word = new DataView(new ArrayBuffer(4));

/** The 16 bits of the half that is nearest to a float32; ties go to the even one. */
export function toFloat16(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude >= 0x7f80_0000) return sign | (magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00);
  // 65520 and more round to infinity.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00;
  // Below 2^-14 halves are multiples of 2^-24, and adding 1/2 leaves just those bits in the last ten of the fraction.
  if (magnitude < 0x3880_0000) {
    word.setUint32(0, magnitude);
    word.setFloat32(0, word.getFloat32(0) + 0.5);
    return sign | (word.getUint32(0) - 0x3f00_0000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x3800_0000) >>> 13);
}
