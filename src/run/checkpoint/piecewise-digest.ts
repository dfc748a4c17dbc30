/** SHA-256 over bytes of any length, without blocking the thread for long. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../host/clock.js';

/** Takes some tens of milliseconds to hash. A call would take up to 2^31 - 1 bytes. */
const PIECE_BYTES = 2 ** 26;

/**
 * Between two pieces, messages are read and timers run, because hashing gigabytes takes longer than a
 * heartbeat may be late.
 * @param bytes may lie on a SharedArrayBuffer; they must not change meanwhile
 */
export async function piecewiseDigest(clock: Clock, bytes: Uint8Array): Promise<Uint8Array> {
  const hash = createHash('sha256');
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    if (start > 0) await clock.turn();
    hash.update(bytes.subarray(start, start + PIECE_BYTES));
  }
  return new Uint8Array(hash.digest());
}
