/** What is reported of a confusion matrix stays small: the matrix up to a hundred classes, lists of twenty. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Confusion } from '../../../src/run/evaluation/confusion.js';
import { confusionReport } from '../../../src/run/evaluation/confusion-report.js';

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `class ${i}`);

test('up to a hundred classes the whole matrix is there, rows by true class', () => {
  const { confusion } = confusionReport(new Confusion(3, [0, 0, 1, 2], [0, 1, 1, 0]), names(3));
  assert.deepEqual(confusion, [
    [1, 1, 0],
    [0, 1, 0],
    [1, 0, 0],
  ]);
  assert.notEqual(confusionReport(new Confusion(100, [0], [0]), names(100)).confusion, null);
  assert.equal(confusionReport(new Confusion(101, [0], [0]), names(101)).confusion, null);
});

test('the most frequent mistakes come first, of equal ones the earlier class; what is right is no mistake', () => {
  const labels = [0, 0, 0, 1, 2, 2, 3];
  const predictions = [0, 3, 1, 2, 0, 0, 1];
  const { mistakes } = confusionReport(new Confusion(4, labels, predictions), ['a', 'b', 'c', 'd']);
  assert.deepEqual(
    mistakes.map(({ actual, predicted, count }) => `${actual}${predicted} ${count}`),
    ['ca 2', 'ab 1', 'ad 1', 'bc 1', 'db 1'],
  );
});

test('twenty mistakes are listed at most, and the frequent one is among them wherever it stands', () => {
  const classes = 1000;
  const labels = [...Array.from({ length: classes }, (_, i) => i), 999];
  const predictions = labels.map((label) => (label + 1) % classes);
  const { mistakes, weakestClasses } = confusionReport(
    new Confusion(classes, labels, predictions),
    names(classes),
  );
  assert.equal(mistakes.length, 20);
  assert.deepEqual(mistakes[0], { actual: 'class 999', predicted: 'class 0', count: 2 });
  assert.equal(mistakes[19]!.actual, 'class 18');
  assert.equal(weakestClasses.length, 20);
  assert.equal(weakestClasses[0]!.class, 'class 999', 'of equal ones the class with more images');
});

// sklearn.metrics.precision_recall_fscore_support([0, 0, 0, 1, 1, 2], [0, 1, 1, 1, 0, 2])
test('the weakest classes have the lowest recall; those without a mistake are none', () => {
  const { weakestClasses } = confusionReport(new Confusion(3, [0, 0, 0, 1, 1, 2], [0, 1, 1, 1, 0, 2]), [
    'cat',
    'dog',
    'owl',
  ]);
  assert.deepEqual(weakestClasses, [
    { class: 'cat', images: 3, recall: 1 / 3, precision: 1 / 2 },
    { class: 'dog', images: 2, recall: 1 / 2, precision: 1 / 3 },
  ]);
});

test('a class that the model never names has no precision', () => {
  const { weakestClasses } = confusionReport(new Confusion(2, [0, 1], [0, 0]), ['cat', 'dog']);
  assert.deepEqual(weakestClasses, [{ class: 'dog', images: 1, recall: 0, precision: null }]);
});

test('of the 21,841 classes of ImageNet-21k, every image a mistake of its own, the report is a small part of a megabyte', () => {
  const classes = 21_841;
  const labels = Array.from({ length: classes }, (_, i) => i);
  const predictions = labels.map((label) => (label + 1) % classes);
  const report = confusionReport(new Confusion(classes, labels, predictions), names(classes));
  assert.deepEqual([report.confusion, report.mistakes.length, report.weakestClasses.length], [null, 20, 20]);
  assert.ok(JSON.stringify(report).length < 2 ** 15);
});
