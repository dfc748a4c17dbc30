/** Times a kernel and the peer's version of it, in turns. */
import { loadKernels } from '../src/kernels/addon.js';
import type { Kernels } from '../src/kernels/kernel-api.js';
import type { Peer } from './peer/peer.js';
import { median } from './workspace.js';

/** A kernel with its operands. */
export interface KernelCall {
  readonly call: () => void;
  /** Releases the operands. */
  readonly end: () => void;
}

/**
 * The kernels on one thread, at `level` or the highest. If there are none, the process ends with a line that
 * says so.
 */
export function kernelsToTime(level: string | undefined): {
  readonly kernels: Kernels;
  readonly level: string;
} {
  const loaded = loadKernels();
  if (loaded.kernels === undefined) {
    console.error(`${loaded.reason}: nothing to measure`);
    process.exit(0);
  }
  const settings = loaded.kernels.configure({ threads: 1, ...(level === undefined ? {} : { level }) });
  return { kernels: loaded.kernels, level: settings.level };
}

function fastestMs(call: () => void, budgetMs: number): number {
  const times: number[] = [];
  for (let spent = 0; times.length < 3 || spent < budgetMs; spent += times.at(-1)!) {
    const start = performance.now();
    call();
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}

/**
 * Medians over the rounds of the fastest call in `budgetMs`, ours and the peer's (NaN without one).
 * @param request what the peer is asked for; it answers with { ms }
 */
export async function timeInTurns(
  { call, end }: KernelCall,
  peer: Peer | undefined,
  request: object,
  by: { readonly rounds: number; readonly budgetMs: number },
): Promise<{ readonly ms: number; readonly peerMs: number }> {
  const ours: number[] = [];
  const theirs: number[] = [];
  call();
  for (let round = 0; round < by.rounds; round++) {
    ours.push(fastestMs(call, by.budgetMs));
    if (peer) theirs.push((await peer.ask<{ ms: number }>({ ...request, ms: by.budgetMs })).ms);
  }
  end();
  return { ms: median(ours), peerMs: median(theirs) };
}
