/** Where `evaluate --confusion` writes: the form follows from the name, and is known before the work begins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfusionPath } from '../../src/cli/trained/confusion-output.js';

test('a confusion matrix can be written as CSV and for NumPy, whatever case the ending has', () => {
  for (const path of ['confusion.csv', 'tables/a.b.NPY', '/tmp/.hidden.csv']) checkConfusionPath(path);
});

test('no other ending is taken', () => {
  for (const path of ['confusion.xlsx', 'confusion', '.csv', 'csv', 'tables.csv/confusion']) {
    assert.throws(() => checkConfusionPath(path), { code: 'CONFIG_INVALID_VALUE', message: /\.csv .*\.npy/ });
  }
});
