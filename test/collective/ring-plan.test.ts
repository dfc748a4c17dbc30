import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  arrivalHop,
  firstMoves,
  MAX_SEGMENT_ELEMENTS,
  nextMove,
  ringPlan,
  type Move,
  type RingPlan,
} from '../../src/collective/ring/ring-plan.js';

const RANKS = [1, 2, 3, 4, 7];

/** Sends the plans' moves around, without sockets, in an order chosen by `pick`; returns what each rank received. */
function simulate(plans: readonly RingPlan[], pick: (choices: number) => number) {
  const queues: Move[][] = plans.map(() => []);
  const received: Move[][] = plans.map(() => []);
  const sent = plans.map(() => 0);
  const send = (rank: number, move: Move | undefined) => {
    if (move === undefined) return;
    sent[rank]!++;
    queues[(rank + 1) % plans.length]!.push(move);
  };
  plans.forEach((plan, rank) => firstMoves(plan).forEach((move) => send(rank, move)));
  for (;;) {
    const busy = queues.flatMap((queue, rank) => (queue.length > 0 ? [rank] : []));
    if (busy.length === 0) return { received, sent };
    const rank = busy[pick(busy.length)]!;
    const move = queues[rank]!.shift()!;
    received[rank]!.push(move);
    send(rank, nextMove(plans[rank]!, move));
  }
}

void test('the segments cover the vector without gap or overlap and respect the segment length', () => {
  for (const ranks of RANKS) {
    for (const length of [0, 1, ranks - 1, ranks, ranks + 1, 10_000, 3 * MAX_SEGMENT_ELEMENTS + 5]) {
      for (const segmentElements of [1000, MAX_SEGMENT_ELEMENTS]) {
        const plan = ringPlan(ranks - 1, ranks, length, segmentElements);
        let end = 0;
        let index = 0;
        plan.chunks.forEach((segments, chunk) => {
          segments.forEach((segment, place) => {
            assert.equal(segment.index, index++);
            assert.equal(segment.offset, end);
            assert.equal(segment.chunk, chunk);
            assert.equal(segment.segment, place);
            assert.ok(segment.length >= 1 && segment.length <= segmentElements);
            end += segment.length;
          });
        });
        assert.equal(end, length);
        assert.equal(index, plan.segmentCount);
        const sizes = plan.chunks.map((segments) => segments.reduce((sum, c) => sum + c.length, 0));
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, 'chunks differ by one element at most');
      }
    }
  }
});

void test('every rank receives each segment as often and in the hop the plan says, whatever the order of arrival', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...RANKS),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 9 }),
      fc.infiniteStream(fc.nat()),
      (ranks, length, segmentElements, random) => {
        const plans = Array.from({ length: ranks }, (_, r) => ringPlan(r, ranks, length, segmentElements));
        const pick = (choices: number) => (random.next().value as number) % choices;
        const { received, sent } = simulate(plans, pick);
        plans.forEach((plan, rank) => {
          assert.equal(received[rank]!.length, plan.receives);
          assert.equal(sent[rank], plan.sends);
          const seen = new Set<string>();
          for (const { phase, hop, segment } of received[rank]!) {
            assert.equal(arrivalHop(plan, phase, segment.chunk), hop);
            seen.add(`${phase}/${segment.chunk}/${segment.segment}`);
          }
          assert.equal(seen.size, plan.receives, 'no segment comes twice in a phase');
        });
      },
    ),
  );
});

void test('one rank alone receives and sends nothing', () => {
  const plan = ringPlan(0, 1, 10_000);
  assert.equal(plan.receives, 0);
  assert.equal(plan.sends, 0);
  assert.deepEqual(firstMoves(plan), []);
  assert.equal(arrivalHop(plan, 'reduce', 0), undefined);
});

void test('a chunk does not arrive at the rank where its sum starts, nor its sum where it was finished', () => {
  for (const ranks of RANKS) {
    const plan = ringPlan(1 % ranks, ranks, 100);
    assert.equal(arrivalHop(plan, 'reduce', plan.rank), undefined);
    assert.equal(arrivalHop(plan, 'gather', (plan.rank + 1) % ranks), undefined);
  }
});

void test('a rank, length or segment length out of range is refused with its value', () => {
  assert.throws(() => ringPlan(2, 2, 10), /rank is 2/);
  assert.throws(() => ringPlan(-1, 2, 10), /rank is -1/);
  assert.throws(() => ringPlan(0, 0, 10), /ranks is 0/);
  assert.throws(() => ringPlan(0, 2, -1), /length is -1/);
  assert.throws(() => ringPlan(0, 2, 1.5), /length is 1.5/);
  assert.throws(() => ringPlan(0, 2, 10, 0), /segmentElements is 0/);
  assert.throws(() => ringPlan(0, 2, 10, MAX_SEGMENT_ELEMENTS + 1), /segmentElements is 262145/);
});
