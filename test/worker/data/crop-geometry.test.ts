import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resizedView } from '../../../src/run/model/evaluation-view.js';
import { preprocessing } from '../../run/model/preprocessing-options.js';
import { KeyedRandom, PURPOSE } from '../../../src/numbers/random/keyed-random.js';
import { centreView, randomCrop, roundHalfEven } from '../../../src/worker/data/crop-geometry.js';

function crops(width: number, height: number, minArea: number, count: number) {
  return Array.from({ length: count }, (_, sample) =>
    randomCrop(new KeyedRandom(3, PURPOSE.augmentation, 0, sample), { width, height }, minArea),
  );
}

test('ties round to even, as in Python', () => {
  const cases = [0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 2.6, -2.6, 3].map(roundHalfEven);
  assert.deepEqual(
    cases.map((value) => value + 0),
    [0, 2, 2, 0, -2, 2, 3, -3, 3],
  );
});

for (const [width, height] of [
  [300, 200],
  [32, 32],
  [7, 5],
  [1, 1],
  [1, 90],
  [90, 1],
  [2, 500],
] as const) {
  test(`random crops lie inside of ${width} x ${height}`, () => {
    for (const box of crops(width, height, 0.05, 300)) {
      assert.ok(box.width >= 1 && box.height >= 1);
      assert.ok(box.left >= 0 && box.left + box.width <= width);
      assert.ok(box.top >= 0 && box.top + box.height <= height);
      assert.ok([box.left, box.top, box.width, box.height].every(Number.isInteger));
    }
  });
}

test('area is uniform on its range, aspect log-uniform on 3/4 to 4/3', () => {
  // A square large enough for rounding not to matter, small areas for every attempt to fit.
  const boxes = crops(4000, 4000, 0.05, 4000).filter(({ width, height }) => width * height < 0.7 * 4000 ** 2);
  const areas = boxes.map(({ width, height }) => (width * height) / 4000 ** 2);
  const aspects = boxes.map(({ width, height }) => width / height);
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  assert.ok(Math.abs(mean(areas) - 0.375) < 0.012, `mean area ${mean(areas)}`);
  assert.ok(Math.min(...areas) >= 0.0499);
  assert.ok(Math.min(...aspects) > 0.749 && Math.max(...aspects) < 1.335);
  assert.ok(Math.abs(mean(aspects.map(Math.log))) < 0.012);
  const inner = aspects.filter((aspect) => Math.abs(Math.log(aspect)) < Math.log(4 / 3) / 2).length;
  assert.ok(Math.abs(inner / aspects.length - 0.5) < 0.03);
});

test('every position of a crop occurs', () => {
  const lefts = new Set(
    crops(6, 6, 0.1, 2000)
      .filter(({ width }) => width === 3)
      .map(({ left }) => left),
  );
  assert.deepEqual([...lefts].sort(), [0, 1, 2, 3]);
});

test('an image too long for any crop of the wanted area gives its centre', () => {
  for (const box of crops(1000, 10, 1, 5)) {
    assert.deepEqual(box, { left: 493, top: 0, width: 13, height: 10 });
  }
  for (const box of crops(10, 1000, 1, 5)) {
    assert.deepEqual(box, { left: 0, top: 493, width: 10, height: 13 });
  }
});

test('the whole image is the fallback where its own aspect is allowed', () => {
  const whole = crops(7, 6, 1, 200).filter(({ width, height }) => width === 7 && height === 6);
  assert.ok(whole.length > 0);
});

test("the centre view has torchvision's sizes", () => {
  const view = centreView({ width: 500, height: 375 }, resizedView(preprocessing('paper'), 224));
  assert.deepEqual(view.size, { width: 341, height: 256 });
  assert.deepEqual(view.window, { left: 58, top: 16, width: 224, height: 224 });
  const small = centreView({ width: 32, height: 32 }, resizedView(preprocessing('paper'), 32));
  assert.deepEqual(small.size, { width: 37, height: 37 });
});

test('a crop that is larger than the image begins outside of it, with the smaller half of what is missing', () => {
  const options = preprocessing('paper', { cropFraction: 1.3 });
  const view = centreView({ width: 40, height: 30 }, resizedView(options, 20));
  assert.deepEqual(view.size, { width: 20, height: 15 });
  assert.deepEqual(view.window, { left: 0, top: -2, width: 20, height: 20 });
});
