import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  comparePositions,
  encodeSegmentHeader,
  HEADER_BYTES,
  parseSegmentMessage,
  type SegmentHeader,
} from '../../src/collective/ring/segment-header.js';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const anyHeader: fc.Arbitrary<SegmentHeader> = fc.record(
  {
    runToken: fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
    generation: uint32,
    step: uint32,
    round: uint32,
    phase: fc.constantFrom('reduce', 'gather'),
    kind: fc.constantFrom('exact', 'fp32'),
    hop: uint32,
    chunk: uint32,
    segment: uint32,
    elements: fc.integer({ min: 1, max: 64 }),
    checksum: uint32,
  },
  { noNullPrototype: true },
);
const header: SegmentHeader = {
  runToken: 0x0123456789abcdefn,
  generation: 3,
  step: 17,
  round: 1,
  phase: 'gather',
  kind: 'fp32',
  hop: 2,
  chunk: 5,
  segment: 9,
  elements: 4,
  checksum: 0xdeadbeef,
};

function reasonFor(change: (frame: Uint8Array) => void, payloadBytes = 16): string {
  const frame = encodeSegmentHeader(header);
  change(frame);
  const parsed = parseSegmentMessage([frame, new Uint8Array(payloadBytes)]);
  return 'reason' in parsed ? parsed.reason : 'accepted';
}

void test('a header comes back as it was written', () => {
  fc.assert(
    fc.property(anyHeader, (written) => {
      const frames = [encodeSegmentHeader(written), new Uint8Array(4 * written.elements)];
      assert.deepEqual(parseSegmentMessage(frames), { header: written });
    }),
  );
});

void test('the bytes on the wire are little endian at fixed places', () => {
  const hex = Buffer.from(encodeSegmentHeader(header)).toString('hex');
  assert.equal(
    hex,
    '56524e47' + // VRNG
      '01000101' + // version 1, gather, fp32
      'efcdab8967452301' +
      '03000000110000000100000002000000050000000900000004000000efbeadde',
  );
  assert.equal(hex.length, 2 * HEADER_BYTES);
});

void test('what is no message of the ring is refused with a reason', () => {
  const parsed = parseSegmentMessage([new Uint8Array(HEADER_BYTES)]);
  assert.deepEqual(parsed, { reason: '1 frames instead of 2' });
  assert.equal(
    reasonFor((frame) => (frame[0] = 0)),
    'no magic number',
  );
  assert.equal(
    reasonFor((frame) => (frame[4] = 9)),
    'version 9',
  );
  assert.equal(
    reasonFor((frame) => (frame[6] = 2)),
    'an unknown phase or kind',
  );
  assert.equal(
    reasonFor((frame) => (frame[7] = 7)),
    'an unknown phase or kind',
  );
  assert.equal(
    reasonFor((frame) => frame.fill(0, 40, 44)),
    '0 elements',
  );
  assert.equal(
    reasonFor((frame) => (frame[43] = 1)),
    '16777220 elements',
  );
  assert.equal(
    reasonFor(() => undefined, 12),
    '12 bytes for 4 elements',
  );
  const short = parseSegmentMessage([new Uint8Array(7), new Uint8Array(16)]);
  assert.deepEqual(short, { reason: 'a header of 7 bytes' });
});

void test('no bytes whatever make the parser throw', () => {
  const frame = fc.uint8Array({ maxLength: 2 * HEADER_BYTES });
  fc.assert(fc.property(fc.array(frame, { maxLength: 4 }), (frames) => void parseSegmentMessage(frames)));
});

void test('positions are ordered by generation, then step, then round', () => {
  const at = (generation: number, step: number, round: number) => ({ generation, step, round });
  assert.equal(comparePositions(at(1, 2, 3), at(1, 2, 3)), 0);
  assert.ok(comparePositions(at(1, 9, 9), at(2, 0, 0)) < 0);
  assert.ok(comparePositions(at(1, 3, 0), at(1, 2, 9)) > 0);
  assert.ok(comparePositions(at(1, 2, 0), at(1, 2, 1)) < 0);
});
