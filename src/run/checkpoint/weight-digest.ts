/** The published digest of a model's weights: what two runs compare to show that they agree bit for bit. */
import { createHash } from 'node:crypto';
import { littleEndianBytes } from './little-endian.js';

/** Elements hashed in one call, which takes at most 2^31 - 1 bytes. */
const PIECE = 2 ** 24;

/**
 * SHA-256, in lower-case hex, over all weights as little-endian IEEE float32 in the order of `parameterLayout`,
 * without header, names or padding. In Python:
 * `hashlib.sha256(b''.join(t.numpy().astype('<f4').tobytes() for t in tensors_in_layout_order)).hexdigest()`.
 * @param weights flat, in layout order; it may lie on a SharedArrayBuffer
 */
export function weightDigest(weights: Float32Array): string {
  const hash = createHash('sha256');
  for (let start = 0; start < weights.length; start += PIECE) {
    hash.update(littleEndianBytes(weights.subarray(start, start + PIECE)));
  }
  return hash.digest('hex');
}
