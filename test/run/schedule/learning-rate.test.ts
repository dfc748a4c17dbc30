/** The learning rate as tables of (step, expected), by hand from LR(t) = base x decay x min(1, t / warm-up). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halfCosine } from '../../../src/run/schedule/half-cosine.js';
import {
  effectiveFinalLr,
  learningRate,
  scheduleWarning,
  warmupOf,
  type LearningRateSchedule,
} from '../../../src/run/schedule/learning-rate.js';

interface Case {
  readonly name: string;
  readonly schedule: LearningRateSchedule;
  readonly table: readonly (readonly [step: number, expected: number])[];
}

const cosine: LearningRateSchedule = {
  form: 'cosine',
  base: 3e-3,
  warmupSteps: 100,
  totalSteps: 500,
  finalLr: null,
};

const CASES: readonly Case[] = [
  {
    name: 'cosine with warm-up starts at 0, peaks at the end of the warm-up and ends at 0',
    schedule: cosine,
    table: [
      [0, 0],
      [1, 3e-5],
      [50, 1.5e-3],
      [99, 2.97e-3],
      [100, 3e-3],
      [200, (3e-3 * (2 + Math.SQRT2)) / 4],
      [300, 1.5e-3],
      [400, (3e-3 * (2 - Math.SQRT2)) / 4],
      [500, 0],
      [501, 0],
    ],
  },
  {
    name: 'cosine ends at the given final rate',
    schedule: { ...cosine, finalLr: 1e-3 },
    table: [
      [0, 0],
      [50, 1.5e-3],
      [100, 3e-3],
      [300, 2e-3],
      [500, 1e-3],
    ],
  },
  {
    name: 'linear ends at 1e-5 by default',
    schedule: { form: 'linear', base: 8e-4, warmupSteps: 10, totalSteps: 110, finalLr: null },
    table: [
      [0, 0],
      [5, 4e-4],
      [10, 8e-4],
      [35, 1e-5 + 7.9e-4 * 0.75],
      [60, 4.05e-4],
      [110, 1e-5],
      [1000, 1e-5],
    ],
  },
  {
    name: 'linear ends at the given final rate, also 0',
    schedule: { form: 'linear', base: 1, warmupSteps: 0, totalSteps: 4, finalLr: 0 },
    table: [
      [0, 1],
      [1, 0.75],
      [2, 0.5],
      [3, 0.25],
      [4, 0],
    ],
  },
  {
    name: 'constant without warm-up is constant from the first step',
    schedule: { form: 'constant', base: 3e-3, warmupSteps: 0, totalSteps: 10, finalLr: null },
    table: [
      [0, 3e-3],
      [9, 3e-3],
      [100, 3e-3],
    ],
  },
  {
    name: 'constant keeps its warm-up and ignores the final rate',
    schedule: { form: 'constant', base: 0.5, warmupSteps: 4, totalSteps: 10, finalLr: 0.1 },
    table: [
      [0, 0],
      [1, 0.125],
      [4, 0.5],
      [10, 0.5],
    ],
  },
  {
    name: 'a run that ends within its warm-up only rises',
    schedule: { ...cosine, totalSteps: 50 },
    table: [
      [0, 0],
      [25, 7.5e-4],
      [49, 1.47e-3],
    ],
  },
  {
    name: 'a run as long as its warm-up does not divide by zero',
    schedule: { ...cosine, totalSteps: 100 },
    table: [
      [99, 2.97e-3],
      [100, 3e-3],
    ],
  },
  {
    name: 'a run of one step without warm-up has the base rate',
    schedule: { ...cosine, warmupSteps: 0, totalSteps: 1 },
    table: [[0, 3e-3]],
  },
];

for (const { name, schedule, table } of CASES) {
  test(name, () => {
    for (const [step, expected] of table) {
      const actual = learningRate(schedule, step);
      assert.ok(
        Math.abs(actual - expected) <= 2 ** -24 * expected,
        `step ${step}: ${actual}, not ${expected}`,
      );
      assert.equal(Math.fround(actual), actual);
    }
  });
}

test('the rate of the paper: ImageNet-1k, 300 epochs of 312 steps, 10,000 steps of warm-up', () => {
  const paper = { ...cosine, warmupSteps: 10_000, totalSteps: 300 * 312 };
  assert.equal(paper.totalSteps, 93_600);
  assert.equal(learningRate(paper, 10_000), Math.fround(3e-3));
  assert.equal(learningRate(paper, 51_800), Math.fround(1.5e-3));
  for (let step = 10_000; step < 93_600; step += 100) {
    assert.ok(learningRate(paper, step + 100) <= learningRate(paper, step));
  }
});

test('the half cosine equals the library cosine to the last digits and is exact at both ends', () => {
  assert.equal(halfCosine(0), 1);
  assert.equal(halfCosine(1), 0);
  for (let i = 0; i <= 1000; i++) {
    const p = i / 1000;
    assert.ok(Math.abs(halfCosine(p) - (1 + Math.cos(Math.PI * p)) / 2) < 4e-16, `p = ${p}`);
  }
});

test('the final rate is the form’s own unless given', () => {
  assert.equal(effectiveFinalLr(cosine), 0);
  assert.equal(effectiveFinalLr({ ...cosine, form: 'linear' }), 1e-5);
  assert.equal(effectiveFinalLr({ ...cosine, form: 'constant', finalLr: 1 }), 3e-3);
  assert.equal(effectiveFinalLr({ ...cosine, finalLr: 2e-4 }), 2e-4);
});

test('a warm-up that covers the run is worth a warning, a shorter one is not', () => {
  assert.equal(scheduleWarning(cosine), null);
  assert.match(
    scheduleWarning({ ...cosine, totalSteps: 100 }) ?? '',
    /100 steps .* --warmup-steps below 100/,
  );
  assert.equal(scheduleWarning({ ...cosine, warmupSteps: 0, totalSteps: 1 }), null);
});

test('the warm-up is as given, else a twentieth of the run', () => {
  assert.equal(warmupOf(7, 1000), 7);
  assert.equal(warmupOf(0, 1000), 0);
  assert.equal(warmupOf(null, 1019), 50);
});
