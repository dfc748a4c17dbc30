/** The native sums of a ring's segments against sum.ts in plain JavaScript, bit for bit. */
import assert from 'node:assert/strict';
import { plainSum } from '../../src/collective/sums/sum.js';
import { bitsOf, floats, LENGTHS } from './float-samples.js';
import { inEverySetting, onProcessorOnly } from './kernel-settings.js';

/** The bytes of `values`, `shift` bytes after where a word could start, as frames of ZeroMQ may lie. */
function bytesAt(values: Float32Array, shift: number): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(values.byteLength + shift)).subarray(shift);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return bytes;
}

const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer);

onProcessorOnly(
  'segments of every length and alignment are added, copied and checked as in JavaScript',
  (kernels) => {
    for (const length of LENGTHS) {
      const [a, b] = [floats(length, length, 'any'), floats(length, length + 1, 'any')];
      const shift = length % 4;
      const [incoming, mine] = [bytesAt(a, shift), bytesAt(b, shift > 0 ? 4 - shift : 0)];
      for (const kind of ['exact', 'fp32'] as const) {
        const expected = new Uint8Array(4 * length);
        const sums = plainSum.add(kind, incoming, mine, expected);
        inEverySetting(kernels, (setting) => {
          const out = bytesAt(a, shift);
          const by = { kind: kind === 'exact' ? 0 : 1, incoming, mine, out } as const;
          const what = `${kind}, ${length} words, ${setting}`;
          assert.deepEqual(kernels.addSegment(by), sums, what);
          assert.deepEqual(Uint8Array.from(out), expected, what);
          const copy = new Uint8Array(4 * length);
          const sum = plainSum.checksum(incoming);
          assert.deepEqual(
            kernels.addSegment({ kind: 0, incoming, out: copy }),
            { incoming: sum, result: sum },
            what,
          );
          assert.deepEqual(copy, Uint8Array.from(incoming), what);
          assert.equal(kernels.checksum({ bytes: incoming }), sum, what);
        });
      }
    }
  },
);

onProcessorOnly('segments with NaN and infinities are added as in JavaScript', (kernels) => {
  const [a, b] = [floats(1001, 1, 'special'), floats(1001, 2, 'special')];
  inEverySetting(kernels, (setting) => {
    const out = new Uint8Array(4004);
    kernels.addSegment({ kind: 1, incoming: bytesAt(a, 0), mine: bytesAt(b, 0), out });
    assert.deepEqual(bitsOf(floatsOf(out)), bitsOf(a.map((x, i) => x + b[i]!)), setting);
  });
});

onProcessorOnly('segments that do not fit together are refused', (kernels) => {
  const [four, eight, odd] = [4, 8, 7].map((length) => new Uint8Array(length));
  const refused = (by: object, message: RegExp) => {
    const whole = { kind: 0 as const, incoming: eight!, mine: eight!, out: eight! };
    assert.throws(() => kernels.addSegment({ ...whole, ...by }), message);
  };
  refused({ mine: four }, /^TypeError: mine: of another length than incoming/);
  refused({ out: four }, /^TypeError: out: of another length than incoming/);
  refused({ incoming: odd }, /^TypeError: incoming: 7 bytes are no whole words/);
  refused({ incoming: new Int32Array(2) }, /^TypeError: incoming: /);
  refused({ kind: 2 }, /^TypeError: kind: /);
  assert.throws(() => kernels.checksum({ bytes: odd! }), /^TypeError: bytes: 7 bytes are no whole words/);
});
