/** Keyed streams: a pure function of (seed, purpose, path), uniform and unbiased. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { philox4x32 } from '../../src/numbers/random/philox.js';
import { KeyedRandom, PURPOSE } from '../../src/numbers/random/keyed-random.js';

function words(random: KeyedRandom, count: number): number[] {
  return Array.from({ length: count }, () => random.uint32());
}

test('the same key gives the same stream: Philox blocks with the path in the upper counter words', () => {
  const first = words(new KeyedRandom(42, PURPOSE.shuffle, 3, 4), 50);
  const blocks = new Uint32Array(8);
  philox4x32([42, PURPOSE.shuffle], [0, 0, 3, 4], blocks, 0);
  philox4x32([42, PURPOSE.shuffle], [1, 0, 3, 4], blocks, 4);
  assert.deepEqual(first.slice(0, 8), [...blocks]);
  assert.deepEqual(words(new KeyedRandom(42, PURPOSE.shuffle, 3, 4), 50), first);
  assert.equal(new Set(first).size, 50);
});

test('seed, purpose and both parts of the path each name another stream', () => {
  const streams = [
    new KeyedRandom(1, PURPOSE.shuffle, 2, 3),
    new KeyedRandom(0, PURPOSE.shuffle, 2, 3),
    new KeyedRandom(1, PURPOSE.dropout, 2, 3),
    new KeyedRandom(1, PURPOSE.shuffle, 3, 3),
    new KeyedRandom(1, PURPOSE.shuffle, 2, 4),
    new KeyedRandom(1, PURPOSE.shuffle, 3, 2),
  ].map((random) => words(random, 4).join());
  assert.equal(new Set(streams).size, streams.length);
});

test('purposes keep their numbers, because stored runs depend on them', () => {
  assert.deepEqual(PURPOSE, {
    initialisation: 1,
    shuffle: 2,
    augmentation: 3,
    dropout: 4,
    demo: 5,
    chaos: 6,
    valSplit: 7,
    simulation: 8,
    dropPath: 9,
  });
});

test('uniform lies strictly between 0 and 1 and has the mean and variance of a uniform', () => {
  const random = new KeyedRandom(7, PURPOSE.augmentation);
  const n = 100_000;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const u = random.uniform();
    assert.ok(u > 0 && u < 1);
    sum += u;
    squares += u * u;
  }
  assert.ok(Math.abs(sum / n - 1 / 2) < 4 * Math.sqrt(1 / 12 / n));
  assert.ok(Math.abs(squares / n - 1 / 3) < 4 * Math.sqrt(4 / 45 / n));
});

for (const bound of [1, 2, 3, 10, 1000]) {
  test(`below(${bound}) is uniform by a chi-square test`, () => {
    const random = new KeyedRandom(11, PURPOSE.shuffle, bound);
    const counts = new Array<number>(bound).fill(0);
    const n = 200 * bound;
    for (let i = 0; i < n; i++) counts[random.below(bound)]!++;
    const chi = counts.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
    // Mean bound - 1, standard deviation sqrt(2 (bound - 1)): five deviations.
    assert.ok(chi <= bound - 1 + 5 * Math.sqrt(2 * (bound - 1)), `chi-square ${chi}`);
  });
}

test('below rejects instead of folding: a bound of 3/4 of the range has no favoured third', () => {
  // Folding would give the first third of the bound twice the share of the others: 1/2 instead of 1/3.
  const bound = 0xc0000000;
  const random = new KeyedRandom(5, PURPOSE.shuffle);
  const n = 30_000;
  let inFirstThird = 0;
  for (let i = 0; i < n; i++) if (random.below(bound) < bound / 3) inFirstThird++;
  assert.ok(Math.abs(inFirstThird / n - 1 / 3) < 0.015, `share ${inFirstThird / n}`);
});

test('below of the whole range passes every word through', () => {
  const a = new KeyedRandom(9, PURPOSE.demo);
  const b = new KeyedRandom(9, PURPOSE.demo);
  for (let i = 0; i < 20; i++) assert.equal(a.below(2 ** 32), b.uint32());
});

test('normal has mean 0, variance 1 and the tails of a normal', () => {
  const random = new KeyedRandom(3, PURPOSE.initialisation);
  const n = 50_000;
  let sum = 0;
  let squares = 0;
  let beyond2 = 0;
  for (let i = 0; i < n; i++) {
    const z = random.normal();
    sum += z;
    squares += z * z;
    if (Math.abs(z) > 2) beyond2++;
  }
  assert.ok(Math.abs(sum / n) < 4 / Math.sqrt(n));
  assert.ok(Math.abs(squares / n - 1) < 4 * Math.sqrt(2 / n));
  assert.ok(Math.abs(beyond2 / n - 0.0455) < 0.004);
});
