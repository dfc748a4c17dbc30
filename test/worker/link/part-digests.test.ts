import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { systemClock } from '../../../src/host/clock.js';
import { piecewiseDigest } from '../../../src/run/checkpoint/piecewise-digest.js';
import { PartDigests } from '../../../src/worker/link/part-digests.js';

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const hex = (digest: Uint8Array | undefined): string => Buffer.from(digest ?? []).toString('hex');

test('a digest in pieces is that of the whole, and timers run between them', async () => {
  const bytes = new Uint8Array(2 ** 27 + 5).fill(7);
  let turns = 0;
  const stop = new AbortController();
  const counting = (async () => {
    while (!stop.signal.aborted) {
      await turn();
      turns++;
    }
  })();
  const digest = await piecewiseDigest(systemClock, bytes);
  stop.abort();
  await counting;
  assert.equal(hex(digest), sha256(bytes));
  assert.ok(turns >= 2, `${turns} turns of the event loop`);
  assert.equal(hex(await piecewiseDigest(systemClock, new Uint8Array(0))), sha256(new Uint8Array(0)));
});

test('a part is read once a step, and again if the state may have changed', async () => {
  const held = Uint8Array.of(1, 2, 3);
  let step = 4;
  const digests = new PartDigests(systemClock, (part, asked) =>
    part === 'weights' && asked === step ? held : undefined,
  );
  const first = sha256(held);
  assert.equal(hex(await digests.of('weights', 4)), first);
  held[0] = 9;
  assert.equal(hex(await digests.of('weights', 4)), first, 'the same step');
  digests.forget();
  assert.equal(hex(await digests.of('weights', 4)), sha256(held), 'forgotten');
  held[0] = 8;
  step = 5;
  assert.equal(hex(await digests.of('weights', 5)), sha256(held), 'another step');
  assert.equal(await digests.of('weights', 4), undefined);
  assert.equal(await digests.of('ema', 5), undefined);
});

test('a state that changes while it is read has no digest', async () => {
  let step = 1;
  const large = new Uint8Array(2 ** 26 + 1);
  const digests = new PartDigests(systemClock, (_, asked) => (asked === step ? large : undefined));
  const reading = digests.of('weights', 1);
  step = 2;
  assert.equal(await reading, undefined);
});
