/** Rings of several ranks in one process, with values whose sums are known in closed form. */
import { systemHost } from '../../src/host/host.js';
import type { TestContext } from 'node:test';
import type { ReduceRequest } from '../../src/collective/ring/reduce-request.js';
import { Ring, type RingOptions } from '../../src/collective/ring/ring.js';
import type { Vector } from '../../src/collective/sums/vector.js';

export const RUN_TOKEN = 0x1122334455667788n;

/** `ranks` rings, closed when the test ends. */
export async function openRings(
  t: TestContext,
  ranks: number,
  options: Partial<RingOptions> = {},
): Promise<Ring[]> {
  const open = () => Ring.open(systemHost, { transport: 'tcp', runToken: RUN_TOKEN, ...options });
  const rings = await Promise.all(Array.from({ length: ranks }, open));
  t.after(() => rings.forEach((ring) => ring.close()));
  return rings;
}

export function joinAll(rings: readonly Ring[], generation: number): void {
  rings.forEach((ring, rank) => {
    const nextEndpoint = rings[(rank + 1) % rings.length]!.endpoint;
    ring.join({ generation, rank, ranks: rings.length, nextEndpoint });
  });
}

export function integers(length: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * length));
}

export function floats(length: number): Float32Array<SharedArrayBuffer> {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

/** Element i of rank r: (r + 1) (i mod 1000 - 499) + salt; small enough to be exact in fp32 too. */
export function fill<V extends Vector>(vector: V, rank: number, salt = 0): V {
  for (let i = 0; i < vector.length; i++) vector[i] = (rank + 1) * ((i % 1000) - 499) + salt;
  return vector;
}

/** The sum of fill() over all ranks: R (R + 1) / 2 (i mod 1000 - 499) + R salt. */
export function fillSum<V extends Vector>(vector: V, ranks: number, salt = 0): V {
  const factor = (ranks * (ranks + 1)) / 2;
  for (let i = 0; i < vector.length; i++) vector[i] = factor * ((i % 1000) - 499) + ranks * salt;
  return vector;
}

/** An exact request of rank `rank` for `length` elements. */
export function requestOf(rank: number, length: number, step: number, salt = 0): ReduceRequest {
  const mine = fill(integers(length), rank, salt);
  return { step, mine, out: integers(length), kind: 'exact', timeoutMs: 5000 };
}
