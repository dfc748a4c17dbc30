import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultCounts } from '../../src/chaos/fault-counts.js';
import { randomSchedule, systematicSchedules } from '../../src/chaos/schedule.js';
import {
  COORDINATOR_POINTS,
  FAULT_ACTIONS,
  faultText,
  parseFaults,
  WORKER_POINTS,
} from '../../src/host/fault-injection.js';

const TRANSFER: readonly string[] = ['state-pull', 'state-serve'];

test('a schedule follows from its seed', () => {
  const options = { workers: 3, steps: 20, faults: 6 };
  assert.deepEqual(randomSchedule(5, options), randomSchedule(5, options));
  assert.notDeepEqual(randomSchedule(5, options).workers, randomSchedule(6, options).workers);
  const { coordinator, workers } = randomSchedule(5, options);
  // Faults of a state transfer bring the deaths along that make it happen.
  assert.ok(coordinator.length + workers.flat().length >= 6);
  assert.ok([...coordinator, ...workers.flat()].every(({ step }) => step >= 0 && step < 24));
});

test('the systematic schedules hit every point with every action at every place, once', () => {
  const schedules = systematicSchedules({ workers: 3, steps: 24 }, 7);
  const transfers = schedules.filter(({ wholeFleet }) => wholeFleet);
  const general = schedules.filter(({ wholeFleet }) => !wholeFleet);
  const hit = transfers.flatMap(({ workers }) =>
    workers.flatMap((faults, place) => {
      const ofTransfer = faults.filter(({ point }) => TRANSFER.includes(point));
      return ofTransfer.map(({ point, action }) => `${place} ${point} ${action}`);
    }),
  );
  assert.equal(hit.length, TRANSFER.length * FAULT_ACTIONS.length * 3);
  assert.equal(new Set(hit).size, hit.length);
  const seen = general.flatMap(({ coordinator, workers }) => [
    ...coordinator.map(({ point, action }) => `coordinator ${point} ${action}`),
    ...workers.flatMap((faults, place) => faults.map(({ point, action }) => `${place} ${point} ${action}`)),
  ]);
  assert.equal(new Set(seen).size, seen.length);
  const ofCoordinator = COORDINATOR_POINTS.length * (FAULT_ACTIONS.length - 1);
  assert.equal(
    seen.length,
    (WORKER_POINTS.length - TRANSFER.length) * FAULT_ACTIONS.length * 3 + ofCoordinator,
  );
  for (const { coordinator, workers } of general) {
    assert.ok(coordinator.length + workers.flat().length <= 7);
  }
});

test('faults survive the way through the environment, and nonsense is none', () => {
  const faults = randomSchedule(1, { workers: 1, steps: 9, faults: 20 }).workers.flat();
  assert.deepEqual(parseFaults(faults.map(faultText).join(',')), faults);
  assert.deepEqual(parseFaults(''), []);
  assert.deepEqual(parseFaults('nowhere@1:kill,before-ring@x:kill,before-ring@1:sing, before-ring@1:kill'), [
    { point: 'before-ring', step: 1, action: 'kill' },
  ]);
});

test('a fault during a state transfer comes with the kills that make a worker join, and the run waits for it', () => {
  const options = { workers: 3, steps: 24, faults: 5 };
  const schedules = [
    ...Array.from({ length: 60 }, (_, seed) => randomSchedule(seed, options)),
    ...systematicSchedules(options, 7),
  ];
  let transfers = 0;
  for (const { workers, wholeFleet } of schedules) {
    workers.forEach((faults, place) => {
      for (const { point, step } of faults.filter((fault) => TRANSFER.includes(fault.point))) {
        transfers++;
        assert.ok(wholeFleet);
        const dies = (of: number): boolean =>
          workers[of]!.some((f) => f.action === 'kill' && f.point === 'before-compute' && f.step >= step);
        // Whoever takes is new; whoever gives is the oldest in the end.
        if (point === 'state-pull') assert.ok(dies(place));
        else assert.ok([0, 1, 2].every((other) => other === place || dies(other)));
      }
    });
  }
  assert.ok(transfers > 30);
});

test('faults that happened are counted by point, kind and process, in the order of a step', () => {
  const counts = faultCounts([
    'worker in place 1: before-ring@7:kill',
    'coordinator: mid-plan@3:stop',
    'worker in place 1: before-ring@12:kill',
    'worker in place 0: state-pull@2:cut',
    'nonsense',
  ]);
  assert.deepEqual(counts, [
    { point: 'state-pull', action: 'cut', who: 'place 0', count: 1 },
    { point: 'before-ring', action: 'kill', who: 'place 1', count: 2 },
    { point: 'mid-plan', action: 'stop', who: 'coordinator', count: 1 },
  ]);
});
