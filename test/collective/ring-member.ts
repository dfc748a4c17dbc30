/**
 * One rank as it is in a worker: a process whose communication thread alone loads ZeroMQ. The main thread passes
 * messages between the test and that thread, which says its endpoint, is told its place, reduces, and ends by
 * itself after the commit.
 */
import { systemHost } from '../../src/host/host.js';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

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

function relay(): void {
  const thread = new Worker(new URL(import.meta.url));
  thread.on('message', (message) => process.send?.(message));
  process.on('message', (message) => thread.postMessage(message));
  thread.on('exit', (code) => {
    process.exitCode = code;
    process.disconnect();
  });
}

async function communicate(): Promise<void> {
  const { Ring } = await import('../../src/collective/ring/ring.js');
  const { fill, integers, RUN_TOKEN } = await import('./ring-fixture.js');
  const heard = () => new Promise<unknown>((resolve) => parentPort?.once('message', resolve));
  const say = (message: string | Result) => parentPort?.postMessage(message);

  const ring = await Ring.open(systemHost, { transport: 'ipc', runToken: RUN_TOKEN });
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
}

if (isMainThread) relay();
else await communicate();
