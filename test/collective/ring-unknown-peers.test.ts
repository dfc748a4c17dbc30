import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Push } from 'zeromq';
import { encodeSegmentHeader, type SegmentHeader } from '../../src/collective/ring/segment-header.js';
import type { Ring } from '../../src/collective/ring/ring.js';
import { fillSum, integers, joinAll, openRings, requestOf, RUN_TOKEN } from './ring-fixture.js';

const LENGTH = 1000;

/** What rank 0 of 2 sends first to rank 1 in step 5 of generation 2, with zeros for values. */
const genuine: SegmentHeader = {
  runToken: RUN_TOKEN,
  generation: 2,
  step: 5,
  round: 0,
  phase: 'reduce',
  kind: 'exact',
  hop: 0,
  chunk: 0,
  segment: 0,
  elements: LENGTH / 2,
  checksum: 0,
};

function message(change: Partial<SegmentHeader>): Uint8Array[] {
  const header = { ...genuine, ...change };
  return [encodeSegmentHeader(header), new Uint8Array(4 * header.elements)];
}

function pushTo(t: TestContext, ring: Ring): Push {
  const push = new Push({ linger: 0 });
  t.after(() => push.close());
  push.connect(ring.endpoint);
  return push;
}

function droppedBy(ring: Ring): number {
  return [...ring.drops.values()].reduce((sum, count) => sum + count, 0);
}

/** Rank 1 reads all `messages` before rank 0 begins; returns rank 1 after both have finished. */
async function reduceAfter(t: TestContext, messages: readonly Uint8Array[][]): Promise<Ring> {
  const rings = await openRings(t, 2);
  joinAll(rings, 2);
  const unknown = pushTo(t, rings[1]!);
  const requests = rings.map((_, rank) => requestOf(rank, LENGTH, 5));
  const second = rings[1]!.reduce(requests[1]!);
  for (const frames of messages) await unknown.send(frames);
  while (droppedBy(rings[1]!) < messages.length) await nextTurn();
  const [, report] = await Promise.all([rings[0]!.reduce(requests[0]!), second]);
  assert.equal(report.dropped, messages.length);
  for (const { out } of requests) assert.deepEqual(out, fillSum(integers(LENGTH), 2));
  return rings[1]!;
}

void test('messages of older generations, steps and rounds are dropped and counted', async (t) => {
  const ring = await reduceAfter(t, [message({ generation: 1 }), message({ step: 4 })]);
  assert.deepEqual([...ring.drops], [['stale', 2]]);
});

void test('messages of another run are dropped and counted', async (t) => {
  const ring = await reduceAfter(t, [message({ runToken: RUN_TOKEN + 1n })]);
  assert.deepEqual([...ring.drops], [['unknown-peer', 1]]);
});

void test('garbage of every kind is dropped and counted', async (t) => {
  const [header] = message({});
  const garbage = [
    [new Uint8Array(0)],
    [Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    [header!],
    [header!, new Uint8Array(3)],
    [header!, new Uint8Array(2000), new Uint8Array(1)],
    [new Uint8Array(48), new Uint8Array(2000)],
    Array.from({ length: 300 }, () => new Uint8Array(1)),
  ];
  const ring = await reduceAfter(t, garbage);
  assert.deepEqual([...ring.drops], [['malformed', garbage.length]]);
});

void test('a well-formed message that cannot come here is dropped and counted', async (t) => {
  const unexpected = [
    message({ chunk: 2 }),
    message({ segment: 1 }),
    message({ chunk: 1 }),
    message({ hop: 1 }),
    message({ kind: 'fp32' }),
    message({ elements: 499 }),
    message({ phase: 'gather', hop: 1 }),
  ];
  const ring = await reduceAfter(t, unexpected);
  assert.deepEqual([...ring.drops], [['unexpected', unexpected.length]]);
});

void test('a final sum before the own values went into it is dropped and counted', async (t) => {
  const rings = await openRings(t, 3);
  joinAll(rings, 2);
  const requests = rings.map((_, rank) => requestOf(rank, 1500, 5));
  const unknown = pushTo(t, rings[1]!);
  const second = rings[1]!.reduce(requests[1]!);
  await unknown.send(message({ phase: 'gather', chunk: 0, hop: 1 }));
  while (droppedBy(rings[1]!) < 1) await nextTurn();
  await Promise.all([second, rings[0]!.reduce(requests[0]!), rings[2]!.reduce(requests[2]!)]);
  assert.deepEqual([...rings[1]!.drops], [['unexpected', 1]]);
  for (const { out } of requests) assert.deepEqual(out, fillSum(integers(1500), 3));
});

void test('a damaged segment is dropped and counted, and the true one is taken', async (t) => {
  const ring = await reduceAfter(t, [message({ checksum: 1 })]);
  assert.deepEqual([...ring.drops], [['checksum', 1]]);
});

void test('a segment that comes twice is added once', async (t) => {
  const rings = await openRings(t, 2, { segmentElements: 100 });
  joinAll(rings, 2);
  const request = requestOf(1, LENGTH, 5);
  const previous = pushTo(t, rings[1]!);
  const running = rings[1]!.reduce({ ...request, timeoutMs: 5000, signal: AbortSignal.timeout(5000) });
  const first = message({ elements: 100 });
  await previous.send(first);
  await previous.send(first);
  while (droppedBy(rings[1]!) < 1) await nextTurn();
  assert.deepEqual([...rings[1]!.drops], [['duplicate', 1]]);
  assert.deepEqual(request.out.subarray(0, 100), request.mine.subarray(0, 100));
  rings[1]!.close();
  await assert.rejects(running, { code: 'RING_ABORTED' });
});

void test('bytes that are not ZeroMQ, and frames beyond a segment, do not disturb the ring', async (t) => {
  const rings = await openRings(t, 2);
  joinAll(rings, 2);
  const port = Number(rings[1]!.endpoint.split(':').at(-1));
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(Buffer.alloc(4096, 0x41));
  t.after(() => socket.destroy());
  const huge = pushTo(t, rings[1]!);
  const disconnected = new Promise((resolve) => huge.events.on('disconnect', resolve));
  await huge.send(new Uint8Array(2 ** 20 + 1));
  const requests = rings.map((_, rank) => requestOf(rank, LENGTH, 5));
  await Promise.all(rings.map((ring, rank) => ring.reduce(requests[rank]!)));
  for (const { out } of requests) assert.deepEqual(out, fillSum(integers(LENGTH), 2));
  await disconnected;
});
