/** Where a run starts that is resumed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { thisProcess } from '../../../src/host/process.js';
import { writeFileAtomic } from '../../../src/host/atomic-file.js';
import { readCheckpoint } from '../../../src/run/checkpoint/checkpoint-reader.js';
import { listCheckpoints } from '../../../src/run/checkpoint/checkpoint-store.js';
import { writeCheckpoint } from '../../../src/run/checkpoint/checkpoint-writer.js';
import { resolveConfig } from '../../../src/run/config/config.js';
import { CONFIG_FILE, startingPoint } from '../../../src/run/folder/starting-point.js';
import { SimulatedDisk } from '../../../src/simulation/simulated-disk.js';
import { SimulatedRandom, STREAM } from '../../../src/simulation/simulated-random.js';
import { DrivenTime } from '../../simulation/driven-time.js';
import { codeOf, contentOf, LAYOUT, SPEC } from '../checkpoint/checkpoint-fixture.js';

const RUN = '/run';
const NOBODY_ELSE = async (): Promise<void> => Promise.resolve();

/** A run folder on a simulated disk, with one checkpoint. */
async function stoppedRun() {
  const time = new DrivenTime();
  const simulation = new SimulatedDisk(new SimulatedRandom(1, STREAM.disk), time.clockOf(null));
  const host = { clock: time.clockOf(null), disk: simulation.for('a process'), process: thisProcess };
  await time.during(host.disk.makeFolder(RUN));
  await time.during(writeFileAtomic(host, `${RUN}/${CONFIG_FILE}`, 'seed: 1\n', NOBODY_ELSE));
  await time.during(writeCheckpoint(host, RUN, contentOf(1), NOBODY_ELSE));
  const config = resolveConfig({ flags: { data: '/data', out: RUN, resume: true } });
  const empty = { samples: [], digest: 'd' };
  const manifest = { classes: ['a', 'b'], train: empty, val: empty, test: empty, digest: 'd' };
  const warn = (): void => undefined;
  const resumed = async (): Promise<string> =>
    time.during(
      codeOf(startingPoint({ host, config, manifest, spec: SPEC, layout: LAYOUT, warn, check: NOBODY_ELSE })),
    );
  return { time, simulation, host, resumed };
}

test('a checkpoint that cannot be read at the moment is not called damaged', async () => {
  const { time, simulation, host, resumed } = await stoppedRun();
  simulation.failNext('open', 'EIO');
  assert.equal(await resumed(), 'CHECKPOINT_UNREADABLE');
  const [checkpoint] = await time.during(listCheckpoints(host.disk, RUN));
  await time.during(readCheckpoint(host.disk, checkpoint!.path, LAYOUT));
});

test('a run whose checkpoints are all damaged does not start from the beginning', async () => {
  const { time, host, resumed } = await stoppedRun();
  const [checkpoint] = await time.during(listCheckpoints(host.disk, RUN));
  await time.during(host.disk.removeAll(`${checkpoint!.path}/state.json`));
  assert.equal(await resumed(), 'CHECKPOINT_CORRUPT');
});
