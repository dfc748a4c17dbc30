import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { patchesOf } from './patch-rows.js';
import { pixelScale, signedScale, unitScale } from '../../../src/run/model/patches.js';
import type { RgbImage } from '../../../src/worker/data/rgb-image.js';
import {
  augmentedView,
  isRandom,
  plainPixels,
  type TransformSpec,
} from '../../../src/worker/data/transform.js';
import type { Transform } from '../../../src/run/model/preprocessing.js';
import { preprocessing } from '../../run/model/preprocessing-options.js';
import { pixelsOf } from './temporary-files.js';

interface Fixture {
  readonly cases: readonly { readonly width: number; readonly height: number; readonly side: number }[];
  readonly patch: number;
  readonly patches: readonly number[];
}

const fixture = JSON.parse(readFileSync('test/fixtures/transform/cases.json', 'utf8')) as Fixture;
const bytes = new Uint8Array(readFileSync('test/fixtures/transform/pixels.bin'));

function spec(transform: Transform, imageSize: number): TransformSpec {
  return Object.assign(preprocessing(transform), { imageSize, cropMinArea: 0.05, seed: 9 });
}

let offset = 0;
function take(length: number): Uint8Array {
  offset += length;
  return bytes.subarray(offset - length, offset);
}

const cases = fixture.cases.map(({ width, height, side }) => ({
  image: { width, height, data: take(width * height * 3) },
  side,
  paper: take(side * side * 3),
  squashed: take(side * side * 3),
}));
assert.equal(offset, bytes.length);

for (const { image, side, paper, squashed } of cases) {
  test(`${image.width} x ${image.height} for side ${side}: both evaluation views have torchvision's exact pixels`, () => {
    assert.deepEqual(plainPixels(image, spec('paper', side)), paper);
    assert.deepEqual(plainPixels(image, spec('tutorial', side)), squashed);
  });
}

test("patches have the exact values of ToTensor in the order of PyTorch's unfold", () => {
  const { side, squashed } = cases.at(-1)!;
  const expected = Float32Array.from(fixture.patches);
  assert.deepEqual(patchesOf(squashed, side, fixture.patch, unitScale(), false), expected);
});

test('a flipped image has the patches of its mirror image', () => {
  const side = 6;
  const pixels = pixelsOf(side, side);
  const mirror = new Uint8Array(pixels.length);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let c = 0; c < 3; c++) mirror[(y * side + x) * 3 + c] = pixels[(y * side + side - 1 - x) * 3 + c]!;
    }
  }
  for (const patch of [1, 2, 3, 6]) {
    assert.deepEqual(
      patchesOf(pixels, side, patch, signedScale(), true),
      patchesOf(mirror, side, patch, signedScale(), false),
    );
  }
});

test('scales reach their ends exactly', () => {
  assert.deepEqual([unitScale()[0], unitScale()[255]], [0, 1]);
  assert.deepEqual([signedScale()[0], signedScale()[255]], [-1, 1]);
  assert.deepEqual(pixelScale(preprocessing('paper')), signedScale());
  assert.deepEqual(pixelScale(preprocessing('tutorial')), unitScale());
});

const IMAGE: RgbImage = { width: 40, height: 30, data: pixelsOf(40, 30) };

test('the training view is a function of seed, epoch and sample', () => {
  const paper = spec('paper', 16);
  const view = (seed: number, epoch: number, sample: number): string => {
    const { pixels, flip } = augmentedView(IMAGE, { ...paper, seed }, { epoch, sample });
    return `${Buffer.from(pixels).toString('hex')} ${flip}`;
  };
  assert.equal(view(1, 2, 3), view(1, 2, 3));
  assert.equal(new Set([view(1, 2, 3), view(2, 2, 3), view(1, 3, 3), view(1, 2, 4), view(1, 3, 2)]).size, 5);
});

test('the training view has not changed since version 0.1.0', () => {
  // Part of a run's identity: another value here means that old runs cannot be repeated.
  const { pixels, flip } = augmentedView(IMAGE, spec('paper', 4), { epoch: 5, sample: 77 });
  assert.equal(
    Buffer.from(pixels).toString('hex'),
    '3e7ab6528eca69a5e17db9dd4783bf5b97d372aee786c283528eca66a2de7db9cf91cd335b97d36fabe786c28d9ad615',
  );
  assert.equal(flip, false);
});

test('half of the training views are mirrored', () => {
  let flips = 0;
  for (let sample = 0; sample < 1000; sample++) {
    if (augmentedView(IMAGE, spec('paper', 2), { epoch: 0, sample }).flip) flips++;
  }
  assert.ok(flips > 440 && flips < 560, `${flips} of 1000`);
});

test('only the paper transform is random, only for training, and not without augmentation', () => {
  assert.equal(isRandom(spec('paper', 8), true), true);
  assert.equal(isRandom(spec('paper', 8), false), false);
  assert.equal(isRandom(spec('tutorial', 8), true), false);
  assert.equal(isRandom(Object.assign(spec('paper', 8), { augment: false }), true), false);
});
