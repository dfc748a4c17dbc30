/** Evaluation views and the numbers of pixels are bit for bit those of torchvision on Pillow images. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pixelScale } from '../../../src/run/model/patches.js';
import type { CropMode, Interpolation } from '../../../src/run/model/preprocessing.js';
import { plainPixels } from '../../../src/worker/data/transform.js';
import { preprocessing } from '../../run/model/preprocessing-options.js';

interface Fixture {
  readonly cases: readonly {
    readonly width: number;
    readonly height: number;
    readonly side: number;
    readonly cropMode: CropMode;
    readonly cropFraction: number;
    readonly interpolation: Interpolation;
  }[];
  readonly scales: readonly {
    readonly mean: readonly number[];
    readonly std: readonly number[];
    readonly bits: readonly number[];
  }[];
}

const fixture = JSON.parse(readFileSync('test/fixtures/transform/views.json', 'utf8')) as Fixture;
const bytes = new Uint8Array(readFileSync('test/fixtures/transform/views.bin'));

let offset = 0;
function take(length: number): Uint8Array {
  offset += length;
  return bytes.subarray(offset - length, offset);
}

for (const { width, height, side, cropMode, cropFraction, interpolation } of fixture.cases) {
  const image = { width, height, data: take(width * height * 3) };
  const expected = take(side * side * 3);
  test(`${width} x ${height} to ${side}, ${interpolation}, ${cropMode} ${cropFraction}: torchvision's exact pixels`, () => {
    const view = preprocessing('paper', { cropMode, cropFraction, interpolation });
    const spec = Object.assign(view, { imageSize: side, cropMinArea: 0.05, seed: 0 });
    assert.deepEqual(plainPixels(image, spec), expected);
  });
}

test('the fixture has no other cases', () => {
  assert.equal(offset, bytes.length);
  assert.ok(fixture.cases.length > 60);
});

for (const { mean, std, bits } of fixture.scales) {
  test(`mean ${mean.join()} and standard deviation ${std.join()} give the bits of ToTensor and Normalize`, () => {
    for (const transform of ['paper', 'tutorial'] as const) {
      const scale = pixelScale(preprocessing(transform, { mean: mean.join(), std: std.join() }));
      assert.deepEqual([...new Int32Array(scale.buffer)], bits);
    }
  });
}
