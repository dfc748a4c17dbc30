/** One rank as a worker thread or child process: says its endpoint, is told its place, reduces, ends after the commit. */
import { isMainThread, parentPort } from 'node:worker_threads';
import { Ring } from '../../src/worker/collective/ring.js';
import { fill, integers, RUN_TOKEN } from './ring-fixture.js';

export interface Place {
  readonly rank: number;
  readonly ranks: number;
  readonly nextEndpoint: string;
  readonly length: number;
}

export interface Result {
  readonly rank: number;
  readonly out: Int32Array;
  /** Turns of the event loop during the all-reduce. */
  readonly turns: number;
}

function say(message: string | Result): void {
  if (isMainThread) process.send?.(message);
  else parentPort?.postMessage(message);
}

function heard(): Promise<unknown> {
  return new Promise((resolve) => {
    if (isMainThread) process.once('message', resolve);
    else parentPort?.once('message', resolve);
  });
}

const ring = await Ring.open({ transport: 'ipc', runToken: RUN_TOKEN });
say(ring.endpoint);
const { rank, ranks, nextEndpoint, length } = (await heard()) as Place;
ring.join({ generation: 1, rank, ranks, nextEndpoint });
const out = integers(length);
let turns = 0;
const timer = setInterval(() => turns++, 1);
await ring.reduce({ step: 0, mine: fill(integers(length), rank), out, kind: 'exact', timeoutMs: 10_000 });
clearInterval(timer);
say({ rank, out, turns });
// The commit: until all ranks have finished, messages of this one may still be under way.
await heard();
ring.close();
if (isMainThread) process.disconnect();
