import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decode, encode } from '../../src/wire/codec.js';

test('a message comes back as it was sent, with large counts exact', () => {
  const body = { evaluation: 3, lossSum: -(2 ** 52), correct: 12, predictions: [0, 5, 4_000_000_000] };
  assert.deepEqual(decode(encode('evaluationDone', body)), {
    ok: true,
    message: { name: 'evaluationDone', body },
  });
});

test('fields that an older peer leaves out have their defaults', () => {
  const decoded = decode(Uint8Array.of(82, 0));
  assert.ok(decoded.ok);
  assert.deepEqual(decoded.message, {
    name: 'leave',
    body: { reason: '' },
  });
});

test('a message that lacks a part it needs is refused with the part named', () => {
  const stepDoneWithoutTimings = Uint8Array.of(34, 2, 8, 1);
  assert.deepEqual(decode(stepDoneWithoutTimings), { ok: false, reason: 'stepDone lacks timings' });
});

test('bytes that are no message are refused with a reason', () => {
  assert.deepEqual(decode(new Uint8Array(0)), { ok: false, reason: 'no known message inside' });
  const decoded = decode(Uint8Array.of(255, 255, 1, 2, 3));
  assert.ok(!decoded.ok && decoded.reason.length > 0);
});

test('no bytes whatever make decoding throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const decoded = decode(bytes);
      assert.equal(typeof decoded.ok, 'boolean');
    }),
    { numRuns: 2000 },
  );
});
