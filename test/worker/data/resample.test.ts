import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { resample, type Box, type Size } from '../../../src/worker/data/resample.js';
import type { RgbImage } from '../../../src/worker/data/rgb-image.js';

interface Case {
  readonly image: Size;
  readonly crop: Box;
  readonly size: Size;
}

const { pillow, cases } = JSON.parse(readFileSync('test/fixtures/resample/cases.json', 'utf8')) as {
  pillow: string;
  cases: Case[];
};
const pixels = new Uint8Array(readFileSync('test/fixtures/resample/pixels.bin'));

interface Fixture extends Case {
  readonly source: RgbImage;
  readonly expected: Uint8Array;
  readonly bicubic: Uint8Array;
}

let offset = 0;
function take(size: Size): Uint8Array {
  const length = size.width * size.height * 3;
  offset += length;
  return pixels.subarray(offset - length, offset);
}
const cubicPixels = new Uint8Array(readFileSync('test/fixtures/resample/bicubic.bin'));
let cubicOffset = 0;
function takeBicubic(size: Size): Uint8Array {
  const length = size.width * size.height * 3;
  cubicOffset += length;
  return cubicPixels.subarray(cubicOffset - length, cubicOffset);
}
const fixtures: Fixture[] = cases.map((entry) => {
  const source = { ...entry.image, data: take(entry.image) };
  return { ...entry, source, expected: take(entry.size), bicubic: takeBicubic(entry.size) };
});
assert.equal(offset, pixels.length);
assert.equal(cubicOffset, cubicPixels.length);

for (const { image, crop, size, source, expected, bicubic } of fixtures) {
  test(`${crop.width} x ${crop.height} of ${image.width} x ${image.height} to ${size.width} x ${size.height} has Pillow ${pillow}'s exact bytes`, () => {
    assert.deepEqual(resample(source, crop, size, 'bilinear'), expected);
    assert.deepEqual(resample(source, crop, size, 'bicubic'), bicubic);
  });
}

test('a window of the result has the bytes of the whole result there', () => {
  for (const { crop, size, source, expected, bicubic } of fixtures) {
    const window = {
      left: Math.floor(size.width / 3),
      top: Math.floor(size.height / 2),
      width: Math.ceil(size.width / 2),
      height: Math.ceil(size.height / 3),
    };
    for (const [interpolation, whole] of [
      ['bilinear', expected],
      ['bicubic', bicubic],
    ] as const) {
      const part = resample(source, crop, size, interpolation, window);
      for (let y = 0; y < window.height; y++) {
        const at = ((window.top + y) * size.width + window.left) * 3;
        assert.deepEqual(
          part.subarray(y * window.width * 3, (y + 1) * window.width * 3),
          whole.subarray(at, at + window.width * 3),
        );
      }
    }
  }
});

test('a crop does not see the pixels around it', () => {
  const crop = { left: 2, top: 1, width: 5, height: 4 };
  const make = (outside: number): RgbImage => {
    const data = new Uint8Array(9 * 8 * 3).fill(outside);
    for (let y = 0; y < crop.height; y++) {
      for (let x = 0; x < crop.width * 3; x++) {
        data[((crop.top + y) * 9 + crop.left) * 3 + x] = (x * 37 + y * 91) % 256;
      }
    }
    return { width: 9, height: 8, data };
  };
  const size = { width: 12, height: 3 };
  for (const interpolation of ['bilinear', 'bicubic'] as const) {
    assert.deepEqual(
      resample(make(0), crop, size, interpolation),
      resample(make(255), crop, size, interpolation),
    );
  }
});
