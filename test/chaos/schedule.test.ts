import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomSchedule, systematicSchedules } from '../../src/chaos/schedule.js';
import {
  COORDINATOR_POINTS,
  FAULT_ACTIONS,
  faultText,
  parseFaults,
  WORKER_POINTS,
} from '../../src/shared/fault-injection.js';

test('a schedule follows from its seed', () => {
  const options = { workers: 3, steps: 20, faults: 6 };
  assert.deepEqual(randomSchedule(5, options), randomSchedule(5, options));
  assert.notDeepEqual(randomSchedule(5, options).workers, randomSchedule(6, options).workers);
  const { coordinator, workers } = randomSchedule(5, options);
  assert.equal(coordinator.length + workers.flat().length, 6);
  assert.ok([...coordinator, ...workers.flat()].every(({ step }) => step >= 0 && step < 20));
});

test('the systematic schedules hit every point with every action at every place, once', () => {
  const schedules = systematicSchedules({ workers: 3, steps: 24 }, 7);
  const seen = schedules.flatMap(({ coordinator, workers }) => [
    ...coordinator.map(({ point, action }) => `coordinator ${point} ${action}`),
    ...workers.flatMap((faults, place) => faults.map(({ point, action }) => `${place} ${point} ${action}`)),
  ]);
  assert.equal(new Set(seen).size, seen.length);
  const ofCoordinator = COORDINATOR_POINTS.length * (FAULT_ACTIONS.length - 1);
  assert.equal(seen.length, WORKER_POINTS.length * FAULT_ACTIONS.length * 3 + ofCoordinator);
  for (const { coordinator, workers } of schedules) {
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
