/** A file that was read, or whose lines are on the disk, may fail to close: nothing is lost, and nothing ends of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunLog } from '../../src/coordinator/watch/run-log.js';
import { fileDigest } from '../../src/run/checkpoint/file-digest.js';
import { readSafetensors, writeSafetensors } from '../../src/run/checkpoint/safetensors.js';
import { SimulatedDisk } from '../../src/simulation/simulated-disk.js';
import { SimulatedRandom, STREAM } from '../../src/simulation/simulated-random.js';
import { DrivenTime } from './driven-time.js';

function simulated() {
  const time = new DrivenTime();
  const clock = time.clockOf(null);
  const simulation = new SimulatedDisk(new SimulatedRandom(1, STREAM.disk), clock);
  return { time, clock, simulation, disk: simulation.for('a process') };
}

test('a checkpoint file is read', async () => {
  const { time, simulation, disk } = simulated();
  const data = Float32Array.of(1, 2);
  const written = await time.during(writeSafetensors(disk, '/w', [{ name: 'w', shape: [2], data }]));
  simulation.failNext('close', 'EIO');
  assert.deepEqual((await time.during(readSafetensors(disk, '/w'))).get('w')?.data, data);
  simulation.failNext('close', 'EIO');
  assert.deepEqual(await time.during(fileDigest(disk, '/w')), written);
});

test('metrics.jsonl is closed', async () => {
  const { time, clock, simulation, disk } = simulated();
  const log = await time.during(RunLog.open({ clock, disk }, '/', async () => Promise.resolve(true)));
  log.onClusterEvent({ kind: 'joined' });
  await time.during(log.written());
  simulation.failNext('close', 'EIO');
  await time.during(log.close());
  assert.match(await time.during(disk.readText('/metrics.jsonl')), /"kind":"joined"/);
});
