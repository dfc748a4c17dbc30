/** Whatever bytes a file has, reading it ends: with values or with a coded error, and in a bounded time. */
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { float32, npy, refusal, safetensors, stateDictPickle, torchFile } from './weight-files.js';
import { zipOf } from './zip-writer.js';

const array = npy('<f4', [2, 3], float32(1, 2, 3, 4, 5, 6));

const SOUND: readonly (readonly [name: string, file: Buffer])[] = [
  [
    'a.safetensors',
    safetensors(
      {
        v: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
        w: { dtype: 'BF16', shape: [1, 2], data_offsets: [8, 12] },
      },
      float32(1, 2, 3),
    ),
  ],
  [
    'a.pth',
    torchFile(
      stateDictPickle(
        { name: 'v', key: '0', elements: 4, shape: [2, 2], strides: [1, 2] },
        { name: 'w', key: '0', elements: 4, offset: 1, shape: [3], strides: [1] },
      ),
      { 0: float32(1, 2, 3, 4) },
    ),
  ],
  [
    'a.npz',
    zipOf([
      { name: 'v.npy', packed: array },
      { name: 'w.npy', packed: deflateRawSync(array), method: 8, bytes: array.length },
    ]),
  ],
  ['b.npz', zipOf([{ name: 'v.npy', packed: array }], { zip64: true })],
];

/** Values that are worth putting anywhere: ends of ranges, and opcodes of pickles. */
const byte = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x2e, 0x52, 0x74),
);

for (const [name, file] of SOUND) {
  test(`changed bytes of ${name} never crash or hang the reader`, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: file.length - 1 }), byte), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const bytes = Buffer.from(file);
          for (const [at, value] of changes) bytes[at] = value;
          await refusal(name, bytes);
        },
      ),
      { numRuns: 400, seed: 12 },
    ));

  test(`${name} cut short, or with bytes left out, never crashes or hangs the reader`, () =>
    fc.assert(
      fc.asyncProperty(fc.nat({ max: file.length }), fc.nat({ max: 40 }), async (from, length) => {
        await refusal(name, Buffer.concat([file.subarray(0, from), file.subarray(from + length + 1)]));
        await refusal(name, file.subarray(0, from));
      }),
      { numRuns: 150, seed: 12 },
    ));
}
