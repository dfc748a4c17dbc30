/** A coordinator that slept while another took its run folder wakes up, and harms nothing that the other writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskWait } from '../../src/host/disk-space.js';
import { removeUnfinished } from '../../src/host/atomic-file.js';
import { thisProcess } from '../../src/host/process.js';
import { readJournal } from '../../src/run/journal/journal-file.js';
import { Journal } from '../../src/run/journal/journal.js';
import { initialRunState } from '../../src/run/journal/run-state.js';
import { SimulatedDisk } from '../../src/simulation/simulated-disk.js';
import { openWith } from './journal-start.js';
import { DrivenTime, seeded } from './driven-time.js';

const RUN = '/run';
const stateAfter = (step: number) => ({ ...initialRunState(1), step });

/**
 * The old coordinator falls asleep while it writes its journal anew, and wakes up while the new one does.
 * @returns what the old one was told, and the last step in the journal
 */
async function takeover(seed: number, asleepMs: number, awakeMs: number) {
  const time = new DrivenTime();
  const { clock } = time;
  const disk = new SimulatedDisk(seeded(seed), clock);
  const folder = disk.for('a person');
  await time.during(folder.makeFolder(RUN).then(async () => folder.syncFolder('/')));
  let taken = false;
  const told: string[] = [];
  // Both have the same number: of two that took the folder from a third, one after the other, neither knew of the other.
  const begin = async (who: string): Promise<Journal> => {
    const host = { clock, disk: disk.for(who), process: thisProcess };
    const check = async (): Promise<void> => {
      // A look at the disk, as the lease is.
      await host.disk.kindOf(RUN);
      if (who === 'old' && taken) throw new Error('taken over');
    };
    const wait: DiskWait = { clock, onFull: () => undefined, interrupted: () => false, check };
    await removeUnfinished(host.disk, RUN, check);
    const before = await readJournal(host.disk, RUN);
    const state = before?.state ?? stateAfter(0);
    return Journal.begin(host, RUN, openWith(state), before, wait);
  };
  const old = await time.during(begin('old'));
  await time.during(old.commit(stateAfter(1), 1, 'd', [0]));
  old.checkpoint(1, 'p', 'w').then(
    () => told.push('written'),
    (error: unknown) => told.push(String(error)),
  );
  await time.drive(time.nowMs + asleepMs);
  disk.suspend('old');
  await time.drive(Infinity);
  taken = true;
  const successor = (async (): Promise<void> => {
    const journal = await begin('new');
    await journal.commit(stateAfter(2), 2, 'd', [0]);
    await journal.checkpoint(2, 'p', 'w');
    await journal.commit(stateAfter(3), 3, 'd', [0]);
  })();
  await time.drive(time.nowMs + awakeMs);
  disk.resume('old');
  await time.during(successor);
  const names = await time.during(folder.list(RUN));
  return { told, step: (await time.during(readJournal(folder, RUN)))?.state.step, names };
}

test("the new coordinator's journal stays whole, whenever the old one fell asleep and woke up", async () => {
  for (let seed = 0; seed < 150; seed++) {
    const { step, told, names } = await takeover(seed, (seed % 15) * 0.2, Math.floor(seed / 15) * 0.7);
    assert.deepEqual([step, names], [3, ['journal']], `seed ${seed}: ${told.join()}`);
  }
});
