/** How many workers train starts here, with how many threads, and what it says of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placement, placementText, threadsOfWorker, type PlacedRun } from '../../src/api/local/placement.js';

const MACHINE = { processors: 4, freeBytes: 8 * 2 ** 30 };
const RUN: PlacedRun = {
  workers: null,
  threads: 0,
  engine: 'native',
  devices: 0,
  microBatches: 16,
  maxWorkers: null,
  parameters: 5_000_000,
};

const CASES: readonly (readonly [string, Partial<PlacedRun>, string])[] = [
  [
    'one worker takes all processors where its kernels have threads',
    {},
    '1 worker with 4 threads: its threads use all processors, and there is nothing to all-reduce',
  ],
  [
    'a backend of one thread gets a worker for each processor',
    { engine: 'wasm' },
    '4 workers with 1 thread each: one for each processor, as wasm computes in one thread',
  ],
  [
    'a step has work for no more workers than micro-batches',
    { engine: 'wasm', microBatches: 2 },
    '2 workers with 1 thread each: a step has 2 micro-batches',
  ],
  [
    'no more are started than may join',
    { engine: 'wasm', maxWorkers: 3 },
    '3 workers with 1 thread each: --max-workers allows no more',
  ],
  [
    'workers fit the free memory',
    { engine: 'wasm', parameters: 40_000_000 },
    '2 workers with 1 thread each: no more fit the free memory',
  ],
  [
    'one worker starts however little memory is free',
    { engine: 'wasm', parameters: 1e9 },
    '1 worker with 1 thread: no more fit the free memory',
  ],
  [
    'each GPU gets a worker',
    { engine: 'gpu', devices: 2 },
    '2 workers with 2 threads each: one for each device',
  ],
  [
    'more GPUs than micro-batches are not all used',
    { engine: 'gpu', devices: 8, microBatches: 1 },
    '1 worker with 4 threads: a step has 1 micro-batch',
  ],
  ['a number that is given stands', { workers: 2 }, '2 workers with 2 threads each: as given'],
  ['so does one of threads', { workers: 3, threads: 2 }, '3 workers with 2 threads each: as given'],
];

for (const [name, run, text] of CASES) {
  test(name, () => assert.equal(placementText(placement({ ...RUN, ...run }, MACHINE)), text));
}

test('processors are shared among workers, and each has one at least', () => {
  assert.equal(threadsOfWorker(0, 3, 8), 2);
  assert.equal(threadsOfWorker(0, 16, 8), 1);
  assert.equal(threadsOfWorker(5, 16, 8), 5);
});
