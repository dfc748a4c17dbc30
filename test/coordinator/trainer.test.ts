/** The training loop with a worker that computes nothing, over a real socket and a real run folder. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { nodeDisk } from '../../src/host/disk.js';
import { systemHost, type Host } from '../../src/host/host.js';
import { CheckpointKeeper } from '../../src/coordinator/checkpoint-keeper.js';
import type { ClusterEvent } from '../../src/coordinator/members/cluster-event.js';
import { readJournal } from '../../src/run/journal/journal-file.js';
import { allOf } from '../../src/coordinator/watch/observer.js';
import { openRun } from '../../src/coordinator/recovery/run-opening.js';
import { StepRunner } from '../../src/coordinator/step-runner.js';
import { train, type TrainingProgress } from '../../src/coordinator/trainer.js';
import { listCheckpoints, readBest } from '../../src/run/checkpoint/checkpoint-store.js';
import { failingDisk } from '../failing-disk.js';
import { fillDisk, makeRoom, mountSmallDisk } from '../small-disk.js';
import { assembled, openCluster } from './cluster-peer.js';
import { NO_WAIT, runFixture, temporaryRun } from './run-fixture.js';
import { ScriptedWorker } from './scripted-worker.js';

interface Watch {
  readonly out?: string;
  readonly host?: Host;
  readonly epochs?: number;
  readonly lossSum?: (step: number) => number;
  readonly onEvent?: (event: ClusterEvent) => void;
}

/** A run of epochs of one step each, of which all is done; its worker is to be told to start. */
async function training(
  t: TestContext,
  correct: (step: number) => number,
  { out = temporaryRun(t), host = systemHost, epochs = 3, lossSum = () => 5, ...watch }: Watch = {},
) {
  const fixture = runFixture(t, { batch: 4, microBatch: 4, epochs, warmupSteps: 0 }, out, host);
  const { config, layout, manifest, spec } = fixture.definition;
  const opening = await openRun(fixture.definition, false);
  const journal = await fixture.journalOf(opening);
  fixture.begin();
  const { cluster } = await openCluster(t, 1, undefined, watch);
  const { state, lastCommit, saved } = opening;
  const progress: TrainingProgress = { state, evaluation: null, final: null, lastCommit, saved, agreed: 0 };
  const observer = allOf([]);
  const seconds = (): number => 42;
  const { classes, digest: manifestDigest } = manifest;
  const contents = { config, spec, classes, manifestDigest, chosenBy: 'test' } as const;
  const { check } = NO_WAIT;
  const checkpoints = new CheckpointKeeper(host, cluster, contents, layout, observer, seconds, check);
  const rates = { trainSamples: 4, perEpoch: 1, generation: 0, interrupted: () => false };
  const runner = new StepRunner({ cluster, config, layout, ...rates });
  const parameters = layout.length;
  const script = { parameters, tensors: layout.slots.length, correct, lossSum };
  const worker = new ScriptedWorker(t, cluster.address, script);
  await worker.start();
  await assembled(cluster, 1);
  const run = {
    config,
    layout,
    manifest,
    cluster,
    checkpoints,
    journal,
    observer,
    runner,
    progress,
    seconds,
  };
  return { run: { ...run, diskWait: NO_WAIT, stopRequested: () => null }, worker, out };
}

test('the journal knows how long the run took, commit by commit', async (t) => {
  const { run, out } = await training(t, () => 2);
  // Before the last epoch is concluded.
  const stopRequested = (): string | null => (run.progress.state.step === 1 ? 'enough' : null);
  assert.deepEqual(await train({ ...run, stopRequested }), { kind: 'ended', reason: 'enough', over: false });
  assert.equal((await readJournal(nodeDisk, out))?.state.elapsedSeconds, 42);
});

test('the last worker that leaves hands the state over to a checkpoint, and nothing is lost', async (t) => {
  const { run, worker, out } = await training(t, () => 2);
  await worker.peer.send('leave', { reason: 'told to' });
  assert.equal(await run.cluster.until(() => run.cluster.members[0]?.leaving === true, 5000), 'met');
  assert.deepEqual(await train(run), { kind: 'handed-over' });
  const { step } = run.progress.state;
  assert.deepEqual(
    (await listCheckpoints(nodeDisk, out)).map((checkpoint) => checkpoint.step),
    [step],
  );
});

test('a checkpoint that was left out on a full disk is not the best', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-test-'));
  const disk = mountSmallDisk(t, join(folder, 'disk'), 24 * 2 ** 20);
  // After it has been unmounted.
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  if (disk === null) return;
  const correct = (step: number): number => {
    if (step === 2) fillDisk(disk, 400_000);
    return step === 2 ? 4 : 2;
  };
  const onEvent = ({ kind }: ClusterEvent): void => {
    if (kind === 'disk-full') makeRoom(disk);
  };
  const { run } = await training(t, correct, { out: disk, onEvent });
  assert.equal((await train(run)).kind, 'ended');
  assert.equal(run.progress.state.step, 3);
  assert.equal(run.progress.state.best?.step, 1);
  assert.equal((await readBest(nodeDisk, disk))?.step, 1);
  const kept = (await listCheckpoints(nodeDisk, disk)).map(({ step }) => step);
  assert.deepEqual(kept, [1, 3]);
});

/** The step of best.json, of which there is a checkpoint. */
function namedBest(out: string): number | null {
  const path = join(out, 'best.json');
  if (!existsSync(path)) return null;
  const { step } = JSON.parse(readFileSync(path, 'utf8')) as { step: number };
  const folder = join(out, 'checkpoints', `step-${String(step).padStart(8, '0')}`);
  assert.ok(
    existsSync(join(folder, 'COMPLETE')),
    `best.json names step ${step}, of which there is no checkpoint`,
  );
  return step;
}

test('best.json and the run name a best whose checkpoint is there, whichever write of it the disk refuses', async (t) => {
  const out = temporaryRun(t);
  const failing = failingDisk(() => namedBest(out));
  const named: (number | null)[] = [];
  const refused: boolean[] = [];
  const epochs = 32;
  // Every evaluation is better than those before it, and each checkpoint fails one operation later than the last one.
  const lossSum = (step: number): number => {
    named.push(namedBest(out));
    refused.push(failing.failed);
    if (step <= 22) failing.failAt(step - 1, `step-${String(step).padStart(8, '0')}`);
    else if (step < epochs) failing.failAt(step - 23, 'best.json');
    return 1000 - step;
  };
  const host = Object.assign({}, systemHost, { disk: failing.disk });
  const { run } = await training(t, () => 2, { out, host, epochs, lossSum });
  assert.equal((await train(run)).kind, 'ended');
  const { best, candidate } = run.progress.state;
  assert.deepEqual([best?.step, namedBest(out), candidate], [epochs, epochs, null]);
  const kept = refused.map((failed, step) => (failed || step === 0 ? null : step));
  assert.deepEqual(
    named,
    kept.map((_, step) => kept.slice(0, step + 1).findLast((earlier) => earlier !== null) ?? null),
  );
  // Each of the two ways to fail has come to its end.
  assert.deepEqual([refused[1], refused[22], refused[23], refused[31]], [true, false, true, false]);
});
