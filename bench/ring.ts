/**
 * Bandwidth of the ring all-reduce between processes of this machine, exact sums against fp32.
 *
 *   node dist/bench/ring.js [--mb 1,22,86,344] [--ranks 2,3,4] [--transports tcp,ipc] [--repeats 5]
 *                           [--segment-kib 1024] [--json]
 *
 * busbw = 2 S (n - 1) / n / t, as in nccl-tests: t is the time of the slowest rank, S the bytes of the vector.
 * Exact and fp32 take turns; figures are medians.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SumKind } from '../src/collective/ring/segment-header.js';
import type { Place, Start, Timing } from './ring-rank.js';

const RANK = fileURLToPath(new URL('./ring-rank.js', import.meta.url));
const KINDS: readonly SumKind[] = ['exact', 'fp32'];

const { values } = parseArgs({
  options: {
    mb: { type: 'string', default: '1,22,86,344' },
    ranks: { type: 'string', default: '2,3,4' },
    transports: { type: 'string', default: 'tcp,ipc' },
    repeats: { type: 'string', default: '5' },
    'segment-kib': { type: 'string', default: '1024' },
    json: { type: 'boolean', default: false },
  },
});
const numbers = (list: string): number[] => list.split(',').map(Number);
const repeats = Number(values.repeats);
const segmentElements = Number(values['segment-kib']) * 256;

interface Row {
  readonly transport: string;
  readonly ranks: number;
  readonly megabytes: number;
  readonly kind: SumKind;
  readonly ms: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** GB/s. */
  readonly busBandwidth: number;
  /** Shares of a rank's time: waiting for messages, summing and copying. */
  readonly waitShare: number;
  readonly sumShare: number;
  /** CPU time of a rank per byte over the bus, in seconds per GB; hardly moved by other load on the machine. */
  readonly cpuPerBusByte: number;
}

async function answers(children: readonly ChildProcess[], messages: readonly (Place | Start)[]) {
  const replies = children.map((child) => once(child, 'message'));
  messages.forEach((message, i) => children[i]!.send(message));
  return (await Promise.all(replies)).map(([reply]) => reply as unknown);
}

const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
const mean = (list: readonly number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length;

/** All repeats of one setting; [repeat][rank] by kind. */
async function measure(transport: string, ranks: number, elements: number) {
  const children = Array.from({ length: ranks }, () => fork(RANK, [transport, String(segmentElements)]));
  const endpoints = await answers(children, []);
  const places = endpoints.map((_, rank): Place => {
    return { rank, ranks, nextEndpoint: String(endpoints[(rank + 1) % ranks]), elements };
  });
  await answers(children, places);
  const timings: Record<SumKind, Timing[][]> = { exact: [], fp32: [] };
  // The first run of each kind also takes time for connections, page faults and compilation.
  for (let step = 0; step < 2 * (repeats + 1); step++) {
    const kind = KINDS[step % 2]!;
    const start = places.map((): Start => ({ step, kind }));
    const reply = (await answers(children, start)) as Timing[];
    if (step >= 2) timings[kind].push(reply);
  }
  const exits = children.map((child) => once(child, 'exit'));
  for (const child of children) child.send('stop');
  await Promise.all(exits);
  return timings;
}

function rowOf(transport: string, kind: SumKind, megabytes: number, timings: readonly Timing[][]): Row {
  const ranks = timings[0]!.length;
  const slowest = timings.map((all) => Math.max(...all.map(({ totalMs }) => totalMs)));
  const share = (part: (timing: Timing) => number): number =>
    median(timings.map((all) => mean(all.map((timing) => part(timing) / timing.totalMs))));
  const ms = median(slowest);
  const busMegabytes = ((2 * (ranks - 1)) / ranks) * megabytes;
  const cpuMs = median(timings.map((all) => all.reduce((sum, timing) => sum + timing.cpuMs, 0)));
  return {
    transport,
    ranks,
    megabytes,
    kind,
    ms,
    minMs: Math.min(...slowest),
    maxMs: Math.max(...slowest),
    busBandwidth: busMegabytes / ms,
    waitShare: share(({ waitMs }) => waitMs),
    sumShare: share(({ sumMs }) => sumMs),
    cpuPerBusByte: cpuMs / ranks / busMegabytes,
  };
}

function cells(row: Row): string[] {
  const { transport, ranks, megabytes, kind, ms, minMs, maxMs, busBandwidth, waitShare, sumShare } = row;
  const spread = `${minMs.toFixed(1)}-${maxMs.toFixed(1)}`;
  const shares = [waitShare, sumShare].map((share) => `${Math.round(100 * share)} %`);
  const figures = [ms.toFixed(1), spread, busBandwidth.toFixed(2), ...shares, row.cpuPerBusByte.toFixed(2)];
  return [transport, String(ranks), String(megabytes), kind, ...figures];
}

const WIDTHS = [9, 5, 5, 6, 8, 15, 10, 6, 6, 8];
function line(texts: readonly string[]): string {
  return texts.map((text, i) => text.padStart(WIDTHS[i]!)).join('  ');
}

if (!values.json) {
  console.log(`${cpus().length} x ${cpus()[0]?.model ?? '?'}, Node ${process.version}, ${repeats} repeats`);
  console.log(line('transport ranks MB sums ms spread busbw-GB/s wait sum cpu-s/GB'.split(' ')));
}
for (const transport of values.transports.split(',')) {
  for (const ranks of numbers(values.ranks)) {
    for (const megabytes of numbers(values.mb)) {
      const timings = await measure(transport, ranks, Math.round((megabytes * 1e6) / 4));
      for (const kind of KINDS) {
        const row = rowOf(transport, kind, megabytes, timings[kind]);
        console.log(values.json ? JSON.stringify(row) : line(cells(row)));
      }
    }
  }
}
