/** The whole confusion matrix as a file for other programs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Confusion } from '../../../src/run/evaluation/confusion.js';
import { confusionCsv, confusionNpy } from '../../../src/run/evaluation/confusion-file.js';

// Python: csv.writer(f, lineterminator='\n').writerows([['actual', 'predicted', 'count'], ['a,b', 'say "x"', 2], ...])
test('CSV has a line for every pair that occurred, quoted as Python quotes it', () => {
  const confusion = new Confusion(3, [0, 0, 1, 2], [1, 1, 1, 0]);
  assert.equal(
    [...confusionCsv(confusion, ['a,b', 'say "x"', 'plain'])].join(''),
    'actual,predicted,count\n"a,b","say ""x""",2\n"say ""x""","say ""x""",1\nplain,"a,b",1\n',
  );
});

test('CSV comes in pieces, with no line lost between them', () => {
  const classes = 10_000;
  const labels = Array.from({ length: classes }, (_, i) => i);
  const names = labels.map(String);
  const pieces = [...confusionCsv(new Confusion(classes, labels, labels), names)];
  assert.ok(pieces.length > 1);
  const lines = pieces.join('').split('\n');
  assert.equal(lines.pop(), '');
  assert.deepEqual(
    lines.slice(1),
    labels.map((i) => `${i},${i},1`),
  );
});

// np.save(f, np.array([[1, 0, 1], [0, 0, 0], [0, 2, 0]], dtype='<i4')) with numpy 2.
test('the .npy file is, byte for byte, what NumPy writes', () => {
  const confusion = new Confusion(3, [0, 2, 0, 2], [0, 1, 2, 1]);
  const text = "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 3), }".padEnd(117);
  const expected = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
    Buffer.from(`${text}\n`),
    Buffer.from(Int32Array.from([1, 0, 1, 0, 0, 0, 0, 2, 0]).buffer),
  ]);
  assert.deepEqual(Buffer.concat([...confusionNpy(confusion)]), expected);
});
