/** Whatever a coordinator was writing when its process or the power went: the run folder can be gone on with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../../src/host/clock.js';
import { thisProcess } from '../../src/host/process.js';
import type { DiskWait } from '../../src/host/disk-space.js';
import { readCheckpoint } from '../../src/run/checkpoint/checkpoint-reader.js';
import { newestVerified, prune, writeBest } from '../../src/run/checkpoint/checkpoint-store.js';
import { writeCheckpoint, type CheckpointContent } from '../../src/run/checkpoint/checkpoint-writer.js';
import { readJournal } from '../../src/run/journal/journal-file.js';
import { Journal } from '../../src/run/journal/journal.js';
import { initialRunState, type RunState } from '../../src/run/journal/run-state.js';
import { SimulatedDisk } from '../../src/simulation/simulated-disk.js';
import { openWith } from './journal-start.js';
import { DrivenTime, seeded } from './driven-time.js';

const RUN = '/run';
const LAYOUT = {
  slots: [{ name: 'w', shape: [3], kind: 'kernel', offset: 0, length: 3 }],
  length: 3,
} as const;

const stateAfter = (step: number): RunState => ({ ...initialRunState(1), step });

const contentOf = (step: number): CheckpointContent => ({
  step,
  layout: LAYOUT,
  weights: Float32Array.of(step, step + 0.5, -step),
  slots: { exp_avg: Float32Array.of(1, 2, step) },
  state: { step },
  metadata: {},
});

const WORK = ['commit', 'event', 'epoch', 'checkpoint', 'best', 'full disk', 'failed sync'] as const;
type Work = (typeof WORK)[number];

/** What a coordinator does, and when it ends. */
interface Life {
  readonly work: readonly Work[];
  readonly endsAtMs: number;
  readonly end: 'power loss' | 'death';
}

/** What has been promised so far. */
interface Promises {
  journal: boolean;
  /** Begun and kept, the highest of each. */
  readonly steps: { begun: number; kept: number };
  readonly checkpoints: { begun: Set<number>; kept: number };
}

async function live(
  disk: SimulatedDisk,
  clock: Clock,
  process: number,
  work: readonly Work[],
  promises: Promises,
): Promise<void> {
  const host = { clock, disk: disk.for(process), process: thisProcess };
  const check = async (): Promise<void> => Promise.resolve();
  const wait: DiskWait = { clock, onFull: () => undefined, interrupted: () => false, check };
  const before = await readJournal(host.disk, RUN);
  let step = before?.state.step ?? 0;
  const journal = await Journal.begin(host, RUN, openWith(stateAfter(step)), before, wait);
  promises.journal = true;
  const save = async (best: boolean): Promise<void> => {
    promises.checkpoints.begun.add(step);
    const path = await writeCheckpoint(host, RUN, contentOf(step), check);
    promises.checkpoints.kept = Math.max(promises.checkpoints.kept, step);
    if (best) await writeBest(host, RUN, { step, metric: 'test-accuracy', value: 1 }, check);
    await prune(host.disk, RUN, 2, check);
    await journal.checkpoint(step, path, 'w');
  };
  try {
    for (const kind of work) {
      if (kind === 'commit') {
        promises.steps.begun = Math.max(promises.steps.begun, ++step);
        await journal.commit(stateAfter(step), step, `d${step}`, [0]);
        promises.steps.kept = step;
      } else if (kind === 'event') journal.event('note', 0, `at ${step}`);
      else if (kind === 'epoch') await journal.epoch(stateAfter(step));
      else if (kind === 'failed sync') disk.failNext('sync', 'EIO');
      else if (kind === 'full disk') {
        disk.room = 400;
        clock.after(2000, () => (disk.room = Infinity));
      } else await save(kind === 'best');
    }
  } catch (error) {
    await journal.end(String(error), false).catch(() => undefined);
    // Its workers leave.
    for (const worker of [0, 1]) journal.event('left', worker, `worker ${worker} left`);
  }
}

async function inspect(disk: SimulatedDisk, process: string, promises: Promises): Promise<void> {
  const view = disk.for(process);
  const journal = await readJournal(view, RUN);
  if (promises.journal) assert.ok(journal !== null, 'the journal is gone');
  const step = journal?.state.step ?? 0;
  const { steps, checkpoints } = promises;
  assert.ok(steps.kept <= step && step <= steps.begun, `step ${step} of ${steps.kept} to ${steps.begun}`);
  // A step that was found on the disk is one that the next coordinator goes on from.
  steps.kept = step;
  const newest = await newestVerified(view, RUN, (path, error) => assert.fail(`${path}: ${error.message}`));
  assert.ok((newest?.step ?? -1) >= checkpoints.kept, `checkpoint ${newest?.step} for ${checkpoints.kept}`);
  if (newest === null) return;
  assert.ok(checkpoints.begun.has(newest.step));
  checkpoints.kept = newest.step;
  const { weights } = await readCheckpoint(view, newest.path, LAYOUT);
  assert.deepEqual(weights, contentOf(newest.step).weights);
}

const lives = fc.array(
  fc.record({
    work: fc.array(fc.constantFrom(...WORK), { maxLength: 12 }),
    endsAtMs: fc.nat({ max: 150 }),
    end: fc.constantFrom('power loss', 'death'),
  }),
  { minLength: 1, maxLength: 4 },
);

async function history(seed: number, all: readonly Life[]): Promise<void> {
  const time = new DrivenTime();
  const disk = new SimulatedDisk(seeded(seed), time.clock);
  const folder = disk.for('a person');
  await time.during(folder.makeFolder(RUN).then(async () => folder.syncFolder('/')));
  const promises: Promises = {
    journal: false,
    steps: { begun: 0, kept: 0 },
    checkpoints: { begun: new Set(), kept: -1 },
  };
  for (const [number, { work, endsAtMs, end }] of all.entries()) {
    const failed: unknown[] = [];
    live(disk, time.clock, number, work, promises).catch((error: unknown) => failed.push(error));
    await time.drive(time.nowMs + endsAtMs);
    if (end === 'death') disk.freeze(number);
    else disk.crash();
    disk.room = Infinity;
    disk.failNothing();
    await time.during(inspect(disk, `reader ${number}`, promises));
  }
}

test('a sync that failed has lost lines before it as well: what is written next is written to a new journal', async () => {
  const work: Work[] = ['event', 'failed sync', 'commit'];
  for (let seed = 0; seed < 8; seed++) {
    await history(seed, [{ work, endsAtMs: 1000, end: 'power loss' }]);
  }
});

test('after any ends of a coordinator the journal opens with all that was promised, and a checkpoint verifies', async () => {
  await fc.assert(fc.asyncProperty(fc.nat(), lives, history), { numRuns: 100 });
});
