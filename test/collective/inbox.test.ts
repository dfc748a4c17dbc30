import { systemClock } from '../../src/host/clock.js';
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Pull, Push } from 'zeromq';
import { coded } from '../../src/errors/errors.js';
import { encodeSegmentHeader, type SegmentHeader } from '../../src/collective/ring/segment-header.js';
import { EarlyMessages } from '../../src/collective/ring/early-messages.js';
import { Inbox } from '../../src/collective/ring/inbox.js';
import { StallWatch } from '../../src/collective/ring/stall-watch.js';
import { RUN_TOKEN } from './ring-fixture.js';

const at = (generation: number, step: number, round = 0) => ({ generation, step, round });

function message(position: ReturnType<typeof at>, segment: number): [Uint8Array, Uint8Array] {
  const header: SegmentHeader = {
    ...position,
    runToken: RUN_TOKEN,
    phase: 'reduce',
    kind: 'exact',
    hop: 0,
    chunk: 0,
    checksum: 0,
    segment,
    elements: 25,
  };
  return [encodeSegmentHeader(header), new Uint8Array(100)];
}

async function sockets(t: TestContext): Promise<{ push: Push; pull: Pull }> {
  const pull = new Pull({ linger: 0 });
  const push = new Push({ linger: 0 });
  t.after(() => {
    pull.close();
    push.close();
  });
  await pull.bind('tcp://127.0.0.1:*');
  push.connect(pull.lastEndpoint!);
  return { push, pull };
}

function watchFor(t: TestContext, timeoutMs = 5000): StallWatch {
  const watch = new StallWatch({
    clock: systemClock,
    timeoutMs,
    signal: undefined,
    onStall: (waitedMs) => coded('RING_TIMEOUT', { step: 0, waitedMs, progress: 'none' }),
    onAbort: (reason) => coded('RING_ABORTED', { step: 0, generation: 0, reason: String(reason) }),
  });
  t.after(() => watch.dispose());
  return watch;
}

void test('messages that come early are handed out in their turn, older ones are dropped', async (t) => {
  const { push, pull } = await sockets(t);
  const inbox = new Inbox(pull, RUN_TOKEN, systemClock);
  const order = [at(2, 0), at(1, 5), at(1, 6), at(2, 0), at(1, 4), at(3, 1), at(1, 5)];
  for (const [segment, position] of order.entries()) await push.send(message(position, segment));
  const take = async (position: ReturnType<typeof at>, count: number): Promise<number[]> => {
    const watch = watchFor(t);
    inbox.begin(position);
    const segments: number[] = [];
    while (segments.length < count) segments.push((await inbox.next(position, watch)).header.segment);
    return segments;
  };
  assert.deepEqual(await take(at(1, 5), 2), [1, 6]);
  assert.equal(inbox.drops.get('stale'), 1);
  assert.deepEqual(await take(at(2, 0), 2), [0, 3]);
  assert.equal(inbox.drops.get('stale'), 2, 'the all-reduce (1, 6) was never begun');
  assert.deepEqual(await take(at(3, 1), 1), [5]);
});

void test('a full store stops the reading until the all-reduce is called off, and loses nothing', async (t) => {
  const { push, pull } = await sockets(t);
  const inbox = new Inbox(pull, RUN_TOKEN, systemClock, new EarlyMessages(300));
  for (let segment = 0; segment < 10; segment++) await push.send(message(at(2, 0), segment));
  inbox.begin(at(1, 0));
  const watch = watchFor(t);
  const next = inbox.next(at(1, 0), watch);
  while (!inbox.full) await new Promise((resolve) => setImmediate(resolve));
  watch.abort('generation 2');
  await assert.rejects(next, { code: 'RING_ABORTED' });

  inbox.begin(at(2, 0));
  const second = watchFor(t);
  for (let segment = 0; segment < 10; segment++) {
    assert.equal((await inbox.next(at(2, 0), second)).header.segment, segment);
  }
  assert.equal(inbox.dropped, 0);
});

void test('a receive left behind by one all-reduce serves the next', async (t) => {
  const { push, pull } = await sockets(t);
  const inbox = new Inbox(pull, RUN_TOKEN, systemClock);
  inbox.begin(at(1, 0));
  await assert.rejects(inbox.next(at(1, 0), watchFor(t, 5)), { code: 'RING_TIMEOUT' });
  inbox.begin(at(2, 0));
  await push.send(message(at(2, 0), 7));
  assert.equal((await inbox.next(at(2, 0), watchFor(t))).header.segment, 7);
});

void test('a watch waits as long as there is progress', async (t) => {
  const watch = watchFor(t, 30);
  const startMs = performance.now();
  const tick = setInterval(() => performance.now() - startMs < 100 && watch.progress(), 5);
  t.after(() => clearInterval(tick));
  const error = await watch.stopped;
  assert.equal(error.code, 'RING_TIMEOUT');
  assert.ok(performance.now() - startMs >= 120);
  assert.equal(watch.error, error);
});
