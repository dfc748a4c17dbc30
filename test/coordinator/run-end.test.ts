/** How a run's folder says that it has ended, without any worker. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { nodeDisk } from '../../src/host/disk.js';
import { runCoordinator } from '../../src/coordinator/coordinator.js';
import { systemHost } from '../../src/host/host.js';
import { CoordinatorMetrics } from '../../src/coordinator/watch/coordinator-metrics.js';
import { readJournal } from '../../src/run/journal/journal-file.js';
import { drawDataset } from '../../src/demo/drawn-dataset.js';
import { resolveConfig } from '../../src/run/config/config.js';
import { temporaryRun } from './run-fixture.js';

/** A run that is stopped while it waits for its workers. */
async function stoppedRun(t: TestContext) {
  const folder = temporaryRun(t);
  const [data, out] = [join(folder, 'data'), join(folder, 'run')];
  await drawDataset(data, { seed: 1, trainPerClass: 1, testPerClass: 1 });
  const config = resolveConfig({ flags: { data, out, model: 'vit-micro/16', imageSize: 32 } });
  const events = {
    onListening: () => undefined,
    observer: {},
    warn: () => undefined,
    stopRequested: () => 'told to',
    ownWorkers: false,
  };
  return { out, run: async () => runCoordinator(systemHost, config, events) };
}

const ends = (out: string): number =>
  readFileSync(join(out, 'journal'), 'utf8').split('"type":"end"').length - 1;

test('a run that is stopped ends once, with the reason', async (t) => {
  const { out, run } = await stoppedRun(t);
  const { reason, completed } = await run();
  assert.deepEqual([reason, completed, ends(out)], ['told to', true, 1]);
  assert.deepEqual((await readJournal(nodeDisk, out))?.end, { reason: 'told to', clean: true });
});

test('a run whose summary cannot be written has not ended cleanly, and reports that once', async (t) => {
  const { out, run } = await stoppedRun(t);
  mkdirSync(join(out, 'summary.json'), { recursive: true });
  await assert.rejects(run(), { code: 'RUN_WRITE_FAILED' });
  assert.equal((await readJournal(nodeDisk, out))?.end?.clean, false);
  assert.equal(ends(out), 1);
});

test('where a run goes on from its journal the newest checkpoint is an older one', async () => {
  const metrics = new CoordinatorMetrics('run', () => 0);
  const names = { version: '1', name: 'vit', backend: 'cpu', parameters: 1, workers: 1 };
  const source = { initFrom: null, initCommit: null, initDigest: null };
  const figures = async (saved: number): Promise<string> => {
    metrics.onStart({ ...names, ...source, steps: 99, stepsPerEpoch: 9, fromStep: 14, saved });
    return (await metrics.page()).body;
  };
  assert.match(await figures(9), /vitrail_checkpoint_step\{[^}]*\} 9\n/);
  assert.match(await figures(-1), /vitrail_checkpoint_step\{[^}]*\} 0\n/);
});
