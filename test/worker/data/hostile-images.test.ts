import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RgbImage } from '../../../src/worker/data/rgb-image.js';
import { decodeBmp } from '../../../src/worker/data/formats/bmp-image.js';
import { kindOf, type Refused } from '../../../src/worker/data/formats/image-kind.js';
import { jpegComponents } from '../../../src/worker/data/formats/jpeg-frame.js';
import { decodeNetpbm } from '../../../src/worker/data/formats/netpbm-image.js';
import { pngDamage } from '../../../src/worker/data/formats/png-chunks.js';
import { tiffLayout } from '../../../src/worker/data/formats/tiff-directory.js';
import { pillowCases } from './pillow-cases.js';

const FILES = pillowCases().filter(({ whole, bytes }) => whole && bytes.length > 40);

/** Bytes that make a header say something else: mostly at the start of the file, often extreme values. */
const CHANGES = fc.array(
  fc.tuple(
    fc.oneof(fc.nat(60), fc.nat(2000)),
    fc.oneof(fc.constantFrom(0, 1, 32, 35, 48, 57, 127, 128, 255), fc.nat(255)),
  ),
  { minLength: 1, maxLength: 6 },
);

/** Runs `look` on changed files of `kind`. */
function onChangedFiles(kind: string, look: (bytes: Uint8Array) => void): void {
  const files = FILES.filter(({ bytes }) => kindOf(bytes) === kind);
  assert.ok(files.length >= 10);
  fc.assert(
    fc.property(fc.constantFrom(...files), CHANGES, fc.nat(), ({ bytes }, changes, cut) => {
      const changed = Uint8Array.from(bytes);
      for (const [at, value] of changes) changed[at % changed.length] = value;
      look(cut % 4 === 0 ? changed.subarray(0, cut % changed.length) : changed);
    }),
    { numRuns: 1500, seed: 29 },
  );
}

function isSound(image: RgbImage | Refused, mostPixels: number): void {
  if ('refused' in image) {
    assert.ok(image.refused.length > 10);
    return;
  }
  assert.equal(image.data.length, image.width * image.height * 3);
  assert.ok(image.width * image.height <= mostPixels);
}

test('a BMP with a changed header is read or refused, and no larger than its bytes allow', () => {
  // A jump of run-length encoding skips up to 255 rows; eight pixels a byte otherwise.
  onChangedFiles('bmp', (bytes) => isSound(decodeBmp(bytes), 178_956_970));
});

test('a PBM, PGM or PPM with a changed header is read or refused, with at most eight pixels a byte', () => {
  onChangedFiles('netpbm', (bytes) => {
    if (kindOf(bytes) === 'netpbm') isSound(decodeNetpbm(bytes), bytes.length * 8);
  });
});

test('a changed JPEG, PNG or TIFF header is looked through without a fault', () => {
  onChangedFiles('jpeg', (bytes) => assert.ok(jpegComponents(bytes) <= 255));
  onChangedFiles('png', (bytes) => assert.notEqual(pngDamage(bytes), ''));
  onChangedFiles('tiff', (bytes) => assert.ok(typeof tiffLayout(bytes) === 'object'));
});
