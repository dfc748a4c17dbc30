import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { MAX_SEGMENT_ELEMENTS, ringPlan } from '../../src/collective/ring/ring-plan.js';
import { HEADER_BYTES } from '../../src/collective/ring/segment-header.js';
import { fill, fillSum, floats, integers, joinAll, openRings, requestOf } from './ring-fixture.js';

const SEGMENT_ELEMENTS = 1500;

for (const transport of ['tcp', 'ipc'] as const) {
  for (const ranks of [1, 2, 3, 4, 7]) {
    void test(`${ranks} ranks over ${transport} hold the exact sum of every length`, async (t) => {
      const rings = await openRings(t, ranks, { transport, segmentElements: SEGMENT_ELEMENTS });
      joinAll(rings, 1);
      const lengths = [0, 1, ranks - 1, 10_000, ranks * SEGMENT_ELEMENTS * 3 + 1];
      for (const [step, length] of lengths.entries()) {
        const requests = rings.map((_, rank) => requestOf(rank, length, step));
        const reports = await Promise.all(rings.map((ring, rank) => ring.reduce(requests[rank]!)));
        const expected = fillSum(integers(length), ranks);
        requests.forEach(({ mine, out }, rank) => {
          assert.deepEqual(out, expected);
          assert.deepEqual(mine, fill(integers(length), rank), 'the own values stay as they were');
        });
        const sent = reports.reduce((sum, report) => sum + report.bytesSent, 0);
        const received = reports.reduce((sum, report) => sum + report.bytesReceived, 0);
        assert.equal(sent, received);
        const sends = rings.map((_, rank) => ringPlan(rank, ranks, length, SEGMENT_ELEMENTS).sends);
        const messages = sends.reduce((sum, count) => sum + count, 0);
        assert.equal(sent, 2 * (ranks - 1) * 4 * length + HEADER_BYTES * messages);
        assert.equal(
          reports.reduce((sum, report) => sum + report.dropped, 0),
          0,
        );
      }
    });

    void test(`${ranks} ranks over ${transport} sum fp32 values`, async (t) => {
      const rings = await openRings(t, ranks, { transport, segmentElements: SEGMENT_ELEMENTS });
      joinAll(rings, 1);
      const outs = rings.map(() => floats(10_000));
      const reduce = (rank: number) => {
        const mine = fill(floats(10_000), rank);
        return rings[rank]!.reduce({ step: 0, mine, out: outs[rank]!, kind: 'fp32', timeoutMs: 5000 });
      };
      await Promise.all(rings.map((_, rank) => reduce(rank)));
      const expected = fillSum(floats(10_000), ranks);
      for (const out of outs) assert.deepEqual(out, expected);
    });
  }
}

void test('segments of the full megabyte travel and sum exactly', async (t) => {
  const rings = await openRings(t, 3);
  joinAll(rings, 1);
  const length = 3 * MAX_SEGMENT_ELEMENTS + 4321;
  const requests = rings.map((_, rank) => requestOf(rank, length, 0, -7));
  const reports = await Promise.all(rings.map((ring, rank) => ring.reduce(requests[rank]!)));
  const expected = fillSum(integers(length), 3, -7);
  for (const { out } of requests) assert.deepEqual(out, expected);
  for (const report of reports) {
    assert.ok(report.totalMs >= report.waitMs);
    assert.ok(report.sumMs > 0);
  }
});

void test('repeats of a step are told apart by their round', async (t) => {
  const rings = await openRings(t, 2);
  joinAll(rings, 1);
  for (const round of [0, 1, 2]) {
    const requests = rings.map((_, rank) => ({ ...requestOf(rank, 1000, 4, round), round }));
    await Promise.all(rings.map((ring, rank) => ring.reduce(requests[rank]!)));
    for (const { out } of requests) assert.deepEqual(out, fillSum(integers(1000), 2, round));
  }
});

const linux = process.platform === 'linux';

void test('an ipc socket leaves no file behind', async (t) => {
  const [ring] = await openRings(t, 1, { transport: 'ipc' });
  const path = ring!.endpoint.replace('ipc://', '');
  // Linux's abstract names end with their process, elsewhere close() removes the file.
  assert.equal(path.startsWith('@'), linux);
  assert.equal(existsSync(path), !linux);
  ring!.close();
  assert.equal(existsSync(path), false);
});

void test('an address that no neighbour could connect to is refused', async (t) => {
  await assert.rejects(openRings(t, 1, { where: { host: '0.0.0.0' } }), { code: 'ADDRESS_INVALID' });
  await assert.rejects(openRings(t, 1, { where: { host: '203.0.113.7' } }), { code: 'PORT_IN_USE' });
  const [ring] = await openRings(t, 1);
  const bad = { generation: 1, rank: 0, ranks: 2, nextEndpoint: 'nonsense' };
  assert.throws(() => ring!.join(bad), { code: 'ADDRESS_INVALID' });
});
