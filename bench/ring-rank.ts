/** One rank of the ring benchmark, a child process of bench/ring.ts. */
import { systemHost } from '../src/host/host.js';
import { Ring } from '../src/collective/ring/ring.js';
import type { SumKind } from '../src/collective/ring/segment-header.js';
import type { Transport } from '../src/host/network.js';

export interface Place {
  readonly rank: number;
  readonly ranks: number;
  readonly nextEndpoint: string;
  readonly elements: number;
}

export interface Start {
  readonly step: number;
  readonly kind: SumKind;
}

export interface Timing {
  readonly totalMs: number;
  readonly waitMs: number;
  readonly sumMs: number;
  /** CPU time of the process over the all-reduce, all threads. */
  readonly cpuMs: number;
}

/** Element i of rank r. */
const valueOf = (rank: number, i: number): number => (rank + 1) * (i % 1000);

function check(out: Int32Array | Float32Array, ranks: number): void {
  const stride = Math.max(1, Math.floor(out.length / 10_007));
  for (let i = 0; i < out.length; i += stride) {
    const expected = ((ranks * (ranks + 1)) / 2) * (i % 1000);
    if (out[i] !== expected) throw new Error(`element ${i} is ${out[i] ?? NaN} instead of ${expected}`);
  }
}

function heard(): Promise<unknown> {
  return new Promise((resolve) => process.once('message', resolve));
}

const [transport, segmentElements] = process.argv.slice(2);
const ring = await Ring.open(systemHost, {
  transport: transport as Transport,
  runToken: 1n,
  segmentElements: Number(segmentElements),
});
process.send?.(ring.endpoint);
const { rank, ranks, nextEndpoint, elements } = (await heard()) as Place;
ring.join({ generation: 1, rank, ranks, nextEndpoint });
const exact = new Int32Array(new SharedArrayBuffer(4 * elements));
const fp32 = new Float32Array(new SharedArrayBuffer(4 * elements));
for (let i = 0; i < elements; i++) exact[i] = fp32[i] = valueOf(rank, i);
const sums = new SharedArrayBuffer(4 * elements);
process.send?.('ready');

for (;;) {
  const message = (await heard()) as Start | 'stop';
  if (message === 'stop') break;
  const { step, kind } = message;
  const mine = kind === 'exact' ? exact : fp32;
  const out = kind === 'exact' ? new Int32Array(sums) : new Float32Array(sums);
  const cpuBefore = process.cpuUsage();
  const { totalMs, waitMs, sumMs } = await ring.reduce({ step, mine, out, kind, timeoutMs: 30_000 });
  const { user, system } = process.cpuUsage(cpuBefore);
  check(out, ranks);
  process.send?.({ totalMs, waitMs, sumMs, cpuMs: (user + system) / 1000 } satisfies Timing);
}
ring.close();
process.disconnect();
