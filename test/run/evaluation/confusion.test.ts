/** Confusion counts: exact, whatever the order of the images, and small however many classes there are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Confusion } from '../../../src/run/evaluation/confusion.js';

const CLASSES = 4;
const pairs = fc.array(fc.tuple(fc.nat(CLASSES - 1), fc.nat(CLASSES - 1)), { maxLength: 60 });

function confusionOf(list: readonly (readonly [number, number])[]): Confusion {
  return new Confusion(
    CLASSES,
    list.map(([label]) => label),
    list.map(([, prediction]) => prediction),
  );
}

test('the pairs that occurred come by true class, then by predicted class, with their counts', () => {
  const confusion = new Confusion(3, [2, 0, 2, 1, 2, 0], [1, 0, 1, 2, 2, 0]);
  assert.deepEqual(
    [...confusion.cells()],
    [
      { actual: 0, predicted: 0, count: 2 },
      { actual: 1, predicted: 2, count: 1 },
      { actual: 2, predicted: 1, count: 2 },
      { actual: 2, predicted: 2, count: 1 },
    ],
  );
});

test('the order of the images makes no difference, and no image is lost', () => {
  fc.assert(
    fc.property(pairs, (list) => {
      const cells = [...confusionOf(list).cells()];
      assert.deepEqual([...confusionOf([...list].reverse()).cells()], cells);
      assert.equal(
        cells.reduce((sum, { count }) => sum + count, 0),
        list.length,
      );
      for (const { actual, predicted, count } of cells) {
        assert.equal(count, list.filter(([a, p]) => a === actual && p === predicted).length);
      }
    }),
  );
});

// sklearn.metrics.precision_recall_fscore_support([0, 0, 0, 1, 1, 2], [0, 1, 1, 1, 0, 2]): recall 1/3, 1/2, 1,
// precision 1/2, 1/3, 1, support 3, 2, 1.
test('each class has its images, how many the model got right, and how many it took for it', () => {
  const { images, correct, predicted } = new Confusion(
    3,
    [0, 0, 0, 1, 1, 2],
    [0, 1, 1, 1, 0, 2],
  ).classCounts();
  assert.deepEqual([...images], [3, 2, 1]);
  assert.deepEqual([...correct], [1, 1, 1]);
  assert.deepEqual([...predicted], [2, 3, 1]);
});

test('the last pairs of a very large set of classes are told apart', () => {
  const classes = 1_000_000;
  const confusion = new Confusion(classes, [999_999, 999_999], [999_998, 999_999]);
  assert.deepEqual(
    [...confusion.cells()].map(({ actual, predicted }) => [actual, predicted]),
    [
      [999_999, 999_998],
      [999_999, 999_999],
    ],
  );
});

test('an evaluation without images has no pairs', () => {
  assert.deepEqual([...new Confusion(5, [], []).cells()], []);
});
