/** The image loader's thread, which decodes and transforms images while the training thread computes. */
import { parentPort, workerData } from 'node:worker_threads';
import { plainError } from '../../errors/errors.js';
import { BatchBuilder } from './batch-builder.js';
import type { FromLoaderThread, ToLoaderThread } from './loader-messages.js';
import type { BatchRequest, BatchSource, LoaderStatistics } from './micro-batch.js';

if (parentPort === null) throw new Error('this file is started by the loader as a worker thread');
const port = parentPort;
const builder = new BatchBuilder(workerData as BatchSource);
const wanted = new Set<number>();
let active = 0;
let busySince = 0;
let busyMs = 0;

function statistics(): LoaderStatistics {
  const running = active > 0 ? performance.now() - busySince : 0;
  return { ...builder.statistics, busyMs: busyMs + running };
}

async function outcomeOf(id: number, request: BatchRequest): Promise<FromLoaderThread['outcome']> {
  try {
    return { batch: await builder.build(request, () => wanted.has(id)) };
  } catch (thrown) {
    return { error: plainError(thrown) };
  }
}

async function build(id: number, request: BatchRequest): Promise<void> {
  if (active++ === 0) busySince = performance.now();
  wanted.add(id);
  const outcome = await outcomeOf(id, request);
  wanted.delete(id);
  if (--active === 0) busyMs += performance.now() - busySince;
  const answer: FromLoaderThread = { id, outcome, statistics: statistics() };
  const batch = 'batch' in outcome ? outcome.batch : null;
  const arrays = batch === null ? [] : [batch.pixels, batch.flips, batch.labels];
  port.postMessage(
    answer,
    arrays.map(({ buffer }) => buffer),
  );
}

port.on('message', (message: ToLoaderThread) => {
  if (message.kind === 'build') void build(message.id, message.request);
  else if (message.kind === 'cancel') wanted.delete(message.id);
  else {
    wanted.clear();
    // With the port closed, the thread ends as soon as the decodes under way have ended.
    port.close();
  }
});
