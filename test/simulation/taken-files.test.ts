/** A coordinator that slept while another took its run folder wakes up, and harms no file that the other writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coded } from '../../src/errors/errors.js';
import type { Disk } from '../../src/host/disk.js';
import type { DiskWait } from '../../src/host/disk-space.js';
import { thisProcess, type ProcessIdentity } from '../../src/host/process.js';
import { verifyCheckpoint } from '../../src/run/checkpoint/checkpoint-reader.js';
import { listCheckpoints, prune, readBest, writeBest } from '../../src/run/checkpoint/checkpoint-store.js';
import { writeCheckpoint, type CheckpointContent } from '../../src/run/checkpoint/checkpoint-writer.js';
import { takeOverFiles, writeRunFile } from '../../src/run/folder/run-file.js';
import { SimulatedDisk } from '../../src/simulation/simulated-disk.js';
import { DrivenTime, seeded } from './driven-time.js';

const RUN = '/run';
const OWNER = `${RUN}/owner`;

interface Coordinator {
  readonly host: { readonly disk: Disk; readonly process: ProcessIdentity };
  readonly wait: DiskWait;
}

/** Writes what belongs to `step`. */
type Write = (by: Coordinator, step: number) => Promise<void>;

const contentOf = (step: number): CheckpointContent => ({
  step,
  layout: { slots: [{ name: 'w', shape: [1], kind: 'kernel', offset: 0, length: 1 }], length: 1 },
  weights: Float32Array.of(step),
  slots: {},
  state: { step },
  metadata: {},
});

/** The old coordinator falls asleep while it writes step 2, and wakes up while the new one, which has the folder, does. */
async function takeover(write: Write, seed: number, asleepMs: number, awakeMs: number) {
  const time = new DrivenTime();
  const { clock } = time;
  const disk = new SimulatedDisk(seeded(seed), clock);
  const folder = disk.for('a person');
  const own = async (who: string, by: Disk): Promise<void> => {
    const file = await by.open(OWNER, 'w');
    await file.append(Buffer.from(who));
    await file.close();
  };
  const coordinator = (who: string): Coordinator => {
    const mine = disk.for(who);
    // A look at the disk, as the lease is: whoever falls asleep right after it learns the answer when it wakes up.
    const check = async (): Promise<void> => {
      const owner = await mine.readText(OWNER);
      if (owner !== who) throw coded('RUN_TAKEN_OVER', { path: RUN, owner });
    };
    const wait = { clock, onFull: () => undefined, interrupted: () => false, check };
    return { host: { disk: mine, process: thisProcess }, wait };
  };
  await time.during(folder.makeFolder(RUN));
  await time.during(own('old', folder));
  const old = coordinator('old');
  await time.during(take(old));
  await time.during(write(old, 1));
  const told: string[] = [];
  write(old, 2).then(
    () => told.push('written'),
    (error: unknown) => told.push(String(error)),
  );
  await time.drive(time.nowMs + asleepMs);
  disk.suspend('old');
  await time.drive(Infinity);
  const successor = (async (): Promise<void> => {
    const now = coordinator('new');
    await own('new', now.host.disk);
    await take(now);
    for (const step of [3, 4, 5]) await write(now, step);
  })();
  await time.drive(time.nowMs + awakeMs);
  disk.resume('old');
  await time.during(successor);
  await time.drive(Infinity);
  const view = disk.for('another person');
  const names = [...(await time.during(view.list(RUN)))].sort();
  const best = (await time.during(readBest(view, RUN)))?.step ?? null;
  const checkpoints: number[] = [];
  for (const { path, step } of await time.during(listCheckpoints(view, RUN))) {
    await time.during(verifyCheckpoint(view, path));
    checkpoints.push(step);
  }
  return { disk, told, names, best, checkpoints };
}

/** Whenever the one falls asleep and the other wakes it up. */
async function eachTakeover(
  write: Write,
  look: (after: Awaited<ReturnType<typeof takeover>>, label: string) => void,
  [longestAsleepMs, longestAwakeMs] = [3, 6],
): Promise<void> {
  for (let seed = 0; seed < 200; seed++) {
    const asleepMs = ((seed % 20) * longestAsleepMs) / 20;
    const awakeMs = (Math.floor(seed / 20) * longestAwakeMs) / 9;
    const label = `seed ${seed}`;
    const after = await takeover(write, seed, asleepMs, awakeMs).catch((error: unknown) => {
      throw new Error(`${label}: ${String(error)}`, { cause: error });
    });
    look(after, `${label}: ${after.told.join()}`);
  }
}

/** What a coordinator does before it writes anything. */
const take = async ({ host, wait }: Coordinator): Promise<void> => takeOverFiles(host.disk, RUN, wait.check);

test("best.json is the new coordinator's, whenever the old one wakes up", async () => {
  const write: Write = async ({ host, wait }, step) =>
    writeBest(host, RUN, { step, metric: 'test-accuracy', value: 1 }, wait.check);
  await eachTakeover(write, ({ disk, names }, label) => {
    const { step } = JSON.parse(disk.text(`${RUN}/best.json`) ?? '{}') as { step?: number };
    assert.deepEqual([step, names], [5, ['best.json', 'owner']], label);
  });
});

test("a file of the run folder is the new coordinator's, whenever the old one wakes up", async () => {
  const path = `${RUN}/summary.json`;
  const write: Write = async ({ host, wait }, step) => writeRunFile(host, path, `step ${step}`, wait);
  await eachTakeover(write, ({ disk, names }, label) => {
    assert.deepEqual([disk.text(path), names], ['step 5', ['owner', 'summary.json']], label);
  });
});

test('checkpoints are written, chosen and pruned by the new coordinator alone, whenever the old one wakes up', async () => {
  // The new one begins with the step that the old one was writing; its second checkpoint is the best.
  const write: Write = async ({ host, wait: { check } }, given) => {
    const step = Math.max(2, given - 1) - (given === 1 ? 1 : 0);
    await writeCheckpoint(host, RUN, contentOf(step), check);
    if (given !== 3 && given !== 5)
      await writeBest(host, RUN, { step, metric: 'test-accuracy', value: 1 }, check);
    await prune(host.disk, RUN, 1, check);
  };
  await eachTakeover(
    write,
    ({ best, checkpoints }, label) => assert.deepEqual([best, checkpoints], [3, [3, 4]], label),
    [20, 80],
  );
});
