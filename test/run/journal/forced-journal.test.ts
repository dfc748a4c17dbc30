/** A successor forces to the disk what it has read of a dead coordinator's journal, before it tells anybody of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { thisProcess } from '../../../src/host/process.js';
import { forceJournal, JOURNAL_FILE, readJournal } from '../../../src/run/journal/journal-file.js';
import { journalLine } from '../../../src/run/journal/journal-format.js';
import { Journal } from '../../../src/run/journal/journal.js';
import { initialRunState } from '../../../src/run/journal/run-state.js';
import { SimulatedDisk } from '../../../src/simulation/simulated-disk.js';
import { SimulatedRandom, STREAM } from '../../../src/simulation/simulated-random.js';
import { DrivenTime } from '../../simulation/driven-time.js';
import { openWith } from '../../simulation/journal-start.js';

const RUN = '/run';

/** The step of a run after a power loss. Its coordinator had died when a commit was written and not yet forced. */
async function stepAfterPowerLoss(seed: number, successor: 'reads' | 'forces'): Promise<number | undefined> {
  const time = new DrivenTime();
  const clock = time.clockOf(null);
  const simulation = new SimulatedDisk(new SimulatedRandom(seed, STREAM.disk), clock);
  const [first, second] = [simulation.for('the first'), simulation.for('the second')];
  const check = async (): Promise<void> => Promise.resolve();
  const wait = { clock, onFull: () => undefined, interrupted: () => false, check };
  await time.during(first.makeFolder(RUN));
  await time.during(first.syncFolder('/'));
  const host = { clock, disk: first, process: thisProcess };
  const journal = await time.during(Journal.begin(host, RUN, openWith(initialRunState(1)), null, wait));
  await time.during(journal.close());
  const state = { ...initialRunState(1), step: 1 };
  const commit = journalLine({ type: 'commit', state, generation: 1, digest: 'd', ring: [0] });
  const file = await time.during(first.open(`${RUN}/${JOURNAL_FILE}`, 'a'));
  await time.during(file.append(Buffer.from(commit)));
  simulation.freeze('the first');
  assert.equal((await time.during(readJournal(second, RUN)))?.state.step, 1);
  if (successor === 'forces') await time.during(forceJournal(second, RUN));
  simulation.crash();
  return (await time.during(readJournal(simulation.for('the third'), RUN)))?.state.step;
}

test('a commit that a successor has forced to the disk outlives a power loss', async () => {
  const seeds = Array.from({ length: 20 }, (_, i) => i);
  const read = await Promise.all(seeds.map(async (seed) => stepAfterPowerLoss(seed, 'reads')));
  assert.ok(read.includes(0), 'without that, some power losses take the commit back');
  const forced = await Promise.all(seeds.map(async (seed) => stepAfterPowerLoss(seed, 'forces')));
  assert.deepEqual([...new Set(forced)], [1]);
});
