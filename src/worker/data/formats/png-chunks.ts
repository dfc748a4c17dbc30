/** Checks the chunks before a PNG's pixels as PIL does: each has a name of letters and the right checksum. */
import { crc32 } from '../../../numbers/crc-32.js';

function isLetter(byte: number): boolean {
  return (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);
}

/**
 * What is wrong before the first IDAT chunk; null if nothing is. The checksums of IDAT chunks are not
 * checked, because PIL and the decoder rely on zlib's checksum there.
 */
export function pngDamage(bytes: Uint8Array): string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 8;
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    const kind = bytes.subarray(at + 4, at + 8);
    if (!kind.every(isLetter)) return `the PNG chunk at byte ${at} has no name`;
    const name = String.fromCharCode(...kind);
    if (name === 'IDAT') return null;
    const end = at + 8 + length;
    if (end + 4 > bytes.length) break;
    if (view.getUint32(end) !== crc32(bytes, at + 4, end))
      return `the PNG chunk ${name} has a wrong checksum`;
    if (name === 'IEND') return 'the PNG file holds no pixels';
    at = end + 4;
  }
  return 'the PNG file ends before its pixels';
}
