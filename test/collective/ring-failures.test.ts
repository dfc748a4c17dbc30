import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fill, fillSum, floats, integers, joinAll, openRings, requestOf } from './ring-fixture.js';

void test('a missing neighbour ends the wait with RING_TIMEOUT and how far it came', async (t) => {
  const rings = await openRings(t, 2);
  joinAll(rings, 1);
  await assert.rejects(rings[0]!.reduce({ ...requestOf(0, 1000, 12), timeoutMs: 40 }), (error: Error) => {
    assert.match(error.message, /^RING_TIMEOUT: the all-reduce of step 12 stalled for \d+ ms/);
    assert.match(error.message, /received 0 of 2 messages \(0 partial, 0 final sums\), 2 to send/);
    return true;
  });
});

void test('a neighbour that is lost half-way shows in the progress of the others', async (t) => {
  const rings = await openRings(t, 3);
  joinAll(rings, 1);
  const present = [0, 1].map((rank) => rings[rank]!.reduce({ ...requestOf(rank, 999, 0), timeoutMs: 60 }));
  const [first, second] = await Promise.allSettled(present);
  assert.ok(first?.status === 'rejected' && second?.status === 'rejected');
  assert.match(String(first.reason), /received 0 of 4/);
  assert.match(String(second.reason), /received 1 of 4 messages \(1 partial, 0 final sums\)/);
});

void test('survivors of a lost rank sum the same values again in a smaller ring', async (t) => {
  const rings = await openRings(t, 3, { segmentElements: 100 });
  joinAll(rings, 1);
  const survivors = rings.slice(0, 2);
  const controller = new AbortController();
  const { signal } = controller;
  const requests = survivors.map((_, rank) => ({ ...requestOf(rank, 5000, 8), signal }));
  const attempts = survivors.map((ring, rank) => ring.reduce(requests[rank]!));
  rings[2]!.close();
  controller.abort('worker 2 was lost');
  for (const attempt of attempts) {
    await assert.rejects(attempt, /RING_ABORTED: .* step 8 in generation 1 .*worker 2 was lost/);
  }
  for (const ring of survivors) await assert.rejects(ring.reduce(requests[0]!), { code: 'INTERNAL' });

  joinAll(survivors, 2);
  const again = requests.map(({ step, mine, out, kind, timeoutMs }) => ({
    step,
    mine,
    out,
    kind,
    timeoutMs,
  }));
  await Promise.all(survivors.map((ring, rank) => ring.reduce(again[rank]!)));
  again.forEach(({ mine, out }, rank) => {
    assert.deepEqual(out, fillSum(integers(5000), 2));
    assert.deepEqual(mine, fill(integers(5000), rank));
  });
});

void test('a ring broken off in the middle of its messages sums correctly in the next generation', async (t) => {
  const rings = await openRings(t, 4, { segmentElements: 50 });
  for (let generation = 1; generation <= 6; generation++) {
    joinAll(rings, generation);
    const controller = new AbortController();
    const { signal } = controller;
    const requests = rings.map((_, rank) => ({ ...requestOf(rank, 20_000, 0, generation), signal }));
    const attempts = rings.map((ring, rank) => ring.reduce(requests[rank]!));
    // Some turns of the event loop later, in another place each time; the last attempt is let through.
    for (let turn = 0; turn < 3 * generation; turn++) await nextTurn();
    if (generation < 6) controller.abort();
    const results = await Promise.allSettled(attempts);
    results.forEach((result, rank) => {
      if (generation === 6) assert.equal(result.status, 'fulfilled');
      if (result.status === 'fulfilled') {
        assert.deepEqual(requests[rank]!.out, fillSum(integers(20_000), 4, generation));
      }
      assert.deepEqual(requests[rank]!.mine, fill(integers(20_000), rank, generation));
    });
  }
});

void test('a rank may begin the next all-reduce, or the next generation, before its neighbours', async (t) => {
  const rings = await openRings(t, 3);
  joinAll(rings, 1);
  for (let step = 0; step < 6; step++) {
    if (step === 3) joinAll(rings, 2);
    const requests = rings.map((_, rank) => requestOf(rank, 3000, step, step));
    const running: Promise<unknown>[] = [];
    for (let k = 0; k < 3; k++) {
      const rank = (k + step) % 3;
      running.push(rings[rank]!.reduce(requests[rank]!));
      for (let turn = 0; turn < 20; turn++) await nextTurn();
    }
    await Promise.all(running);
    for (const { out } of requests) assert.deepEqual(out, fillSum(integers(3000), 3, step));
  }
});

void test('an all-reduce called off before it began sends nothing', async (t) => {
  const rings = await openRings(t, 2);
  joinAll(rings, 1);
  const signal = AbortSignal.abort('too late');
  await assert.rejects(rings[0]!.reduce({ ...requestOf(0, 10, 0), signal }), { code: 'RING_ABORTED' });
});

void test('close() ends an all-reduce under way and may be called twice', async (t) => {
  const rings = await openRings(t, 2);
  joinAll(rings, 1);
  const attempt = rings[0]!.reduce(requestOf(0, 1000, 0));
  await nextTurn();
  rings[0]!.close();
  rings[0]!.close();
  await assert.rejects(attempt, /RING_ABORTED.*the ring was closed/);
  assert.throws(() => joinAll(rings, 2), { code: 'INTERNAL' });
});

void test('misuse is refused before anything is sent', async (t) => {
  const rings = await openRings(t, 2);
  const ring = rings[0]!;
  const good = requestOf(0, 10, 0);
  await assert.rejects(ring.reduce(good), /before join/);
  joinAll(rings, 3);
  await assert.rejects(ring.reduce({ ...good, out: good.mine }), /memory of its own input/);
  await assert.rejects(ring.reduce({ ...good, out: good.mine.subarray(0, 9) }), /10 elements into 9/);
  const half = good.mine.subarray(0, 5);
  const overlapping = good.mine.subarray(4, 9);
  await assert.rejects(ring.reduce({ ...good, mine: half, out: overlapping }), /memory of its own input/);
  await assert.rejects(ring.reduce({ ...good, kind: 'fp32' }), /'fp32' needs Float32Arrays/);
  await assert.rejects(ring.reduce({ ...good, mine: floats(10) }), /'exact' needs Int32Arrays/);
  const running = rings.map((member, rank) => member.reduce(requestOf(rank, 10, 0)));
  await assert.rejects(ring.reduce(good), /during an all-reduce/);
  assert.throws(() => ring.join({ generation: 4, rank: 0, ranks: 1, nextEndpoint: '' }), /abort it first/);
  await Promise.all(running);
  assert.throws(() => joinAll(rings, 3), /generation 3 after 3/);
});
