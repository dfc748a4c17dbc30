/** Philox against the known answers of its authors (Random123, kat_vectors). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { philox4x32 } from '../../src/numbers/random/philox.js';

type Key = readonly [number, number];
type Counter = readonly [number, number, number, number];

const KNOWN_ANSWERS: readonly (readonly [Key, Counter, Counter])[] = [
  [
    [0, 0],
    [0, 0, 0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xa4093822, 0x299f31d0],
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

for (const [key, counter, expected] of KNOWN_ANSWERS) {
  test(`key ${key.join()} and counter ${counter.join()} give the published words`, () => {
    const out = new Uint32Array(4);
    philox4x32(key, counter, out);
    assert.deepEqual([...out], [...expected]);
  });
}

test('the words are written at the given position and nowhere else', () => {
  const out = new Uint32Array(8).fill(7);
  philox4x32([0, 0], [0, 0, 0, 0], out, 3);
  assert.deepEqual([...out], [7, 7, 7, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8, 7]);
});

test('a change of one bit of the counter or the key changes every word', () => {
  const base = new Uint32Array(4);
  const other = new Uint32Array(4);
  philox4x32([5, 6], [1, 2, 3, 4], base);
  const neighbours: (readonly [Key, Counter])[] = [
    [
      [4, 6],
      [1, 2, 3, 4],
    ],
    [
      [5, 7],
      [1, 2, 3, 4],
    ],
    [
      [5, 6],
      [0, 2, 3, 4],
    ],
    [
      [5, 6],
      [1, 3, 3, 4],
    ],
    [
      [5, 6],
      [1, 2, 2, 4],
    ],
    [
      [5, 6],
      [1, 2, 3, 5],
    ],
  ];
  for (const [key, counter] of neighbours) {
    philox4x32(key, counter, other);
    for (let i = 0; i < 4; i++) assert.notEqual(other[i], base[i]);
  }
});
