import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchNote } from '../../../src/coordinator/watch/batch-note.js';

test('a batch that the images cannot fill gives a warning that names the batch of every step', () => {
  assert.equal(batchNote(64, 64), null);
  assert.match(
    batchNote(4096, 750) ?? '',
    /^a batch of 4096 is larger than the 750 training images.*--batch 750/,
  );
});
