/** SHA-256 over bytes of any length. */
import { createHash } from 'node:crypto';

/** A hash takes at most 2^31 - 1 bytes a call. */
const PIECE_BYTES = 2 ** 26;

/** @param bytes may lie on a SharedArrayBuffer */
export function piecewiseDigest(bytes: Uint8Array): Uint8Array {
  const hash = createHash('sha256');
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    hash.update(bytes.subarray(start, start + PIECE_BYTES));
  }
  return new Uint8Array(hash.digest());
}
