import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { decodeImage } from '../../../src/worker/data/image-decoder.js';
import { picture, pixelsOf, temporaryFolder } from './temporary-files.js';

const W = 7;
const H = 5;
const PIXELS = pixelsOf(W, H);
const GREYS = Uint8Array.from({ length: W * H }, (_, i) => (i * 7) % 256);
const GREY_PIXELS = new Uint8Array(W * H * 3).map((_, i) => GREYS[Math.floor(i / 3)]!);

type Channels = 1 | 2 | 3 | 4;

/** An image whose value in each channel of each pixel is `value(pixel, channel)`. */
function raw(channels: Channels, value: (pixel: number, channel: number) => number): Sharp {
  const data = new Uint8Array(W * H * channels).map((_, i) => value(Math.floor(i / channels), i % channels));
  return sharp(data, { raw: { width: W, height: H, channels } });
}

function raw16(channels: 1 | 3, values: Uint8Array): Sharp {
  // The lower eight bits differ from the upper ones: rounding instead of cutting would show.
  const data = Uint16Array.from(values, (value) => value * 256 + 255 - value);
  return sharp(data, { raw: { width: W, height: H, channels } });
}

async function decoded(context: TestContext, bytes: Buffer): Promise<{ size: number[]; pixels: Uint8Array }> {
  const path = join(await temporaryFolder(context), 'image');
  await writeFile(path, bytes);
  const { width, height, data } = await decodeImage(path);
  return { size: [width, height], pixels: Uint8Array.from(data) };
}

const grey = (): Sharp => raw(1, (i) => GREYS[i]!).toColourspace('b-w');
const twoFrames = (): Sharp => {
  const data = new Uint8Array(W * H * 2 * 3).map((_, i) => (i < W * H * 3 ? 200 : 30));
  return sharp(data, { raw: { width: W, height: 2 * H, channels: 3, pageHeight: H } });
};
const FRAME = new Uint8Array(W * H * 3).fill(200);

const EXACT: readonly (readonly [string, Sharp, Uint8Array])[] = [
  ['an RGB PNG', picture(W, H).png(), PIXELS],
  ['a lossless WebP', picture(W, H).webp({ lossless: true }), PIXELS],
  ['an RGB TIFF', picture(W, H).tiff({ compression: 'lzw' }), PIXELS],
  ['a palette PNG', picture(W, H).png({ palette: true, dither: 0 }), PIXELS],
  ['a GIF', picture(W, H).gif({ dither: 0 }), PIXELS],
  ['a greyscale PNG', grey().png(), GREY_PIXELS],
  ['a greyscale TIFF', grey().tiff({ compression: 'none' }), GREY_PIXELS],
  [
    'a PNG whose alpha is dropped without blending',
    raw(4, (i, c) => (c === 3 ? (i * 11) % 256 : PIXELS[i * 3 + c]!)).png(),
    PIXELS,
  ],
  [
    'a greyscale PNG with alpha',
    raw(2, (i, c) => (c === 1 ? 128 : GREYS[i]!))
      .toColourspace('b-w')
      .png(),
    GREY_PIXELS,
  ],
  ['a 16-bit RGB PNG', raw16(3, PIXELS).toColourspace('rgb16').png(), PIXELS],
  ['a 16-bit greyscale PNG', raw16(1, GREYS).toColourspace('grey16').png(), GREY_PIXELS],
  ['the first frame of an animated GIF', twoFrames().gif({ delay: [100, 100] }), FRAME],
  ['the first frame of an animated WebP', twoFrames().webp({ lossless: true, delay: [100, 100] }), FRAME],
];

for (const [what, image, expected] of EXACT) {
  test(`${what} decodes to exact RGB`, async (t) => {
    const { size, pixels } = await decoded(t, await image.toBuffer());
    assert.deepEqual(size, [W, H]);
    assert.deepEqual(pixels, expected);
  });
}

function largestDifference(a: Uint8Array, b: Uint8Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}

test('a greyscale JPEG decodes to three equal channels', async (t) => {
  const { pixels } = await decoded(t, await grey().jpeg({ quality: 100 }).toBuffer());
  assert.ok(largestDifference(pixels, GREY_PIXELS) <= 3);
  for (let i = 0; i < pixels.length; i += 3) {
    assert.deepEqual([pixels[i + 1], pixels[i + 2]], [pixels[i], pixels[i]]);
  }
});

test('every EXIF orientation is turned upright', async (t) => {
  const upright = await sharp(pixelsOf(16, 8), { raw: { width: 16, height: 8, channels: 3 } })
    .png()
    .toBuffer();
  const stored: Record<number, Sharp> = {
    1: sharp(upright),
    2: sharp(upright).flop(),
    3: sharp(upright).rotate(180),
    4: sharp(upright).flip(),
    6: sharp(upright).rotate(270),
    8: sharp(upright).rotate(90),
  };
  for (const [orientation, image] of Object.entries(stored)) {
    const turned = await image.png().toBuffer();
    const bytes = await sharp(turned)
      .withMetadata({ orientation: Number(orientation) })
      .png()
      .toBuffer();
    const { size, pixels } = await decoded(t, bytes);
    assert.deepEqual(size, [16, 8], `orientation ${orientation}`);
    assert.deepEqual(pixels, pixelsOf(16, 8), `orientation ${orientation}`);
  }
});

const LARGE = (): Sharp => picture(120, 100);

const DAMAGED: readonly (readonly [string, () => Promise<Buffer>, RegExp])[] = [
  ['a truncated JPEG', async () => half(await LARGE().jpeg().toBuffer()), /premature end/],
  [
    'a progressive JPEG without its end',
    async () => (await LARGE().jpeg({ progressive: true }).toBuffer()).subarray(0, -200),
    /premature end/,
  ],
  ['a truncated PNG', async () => half(await LARGE().png().toBuffer()), /read error/],
  ['a truncated WebP', async () => half(await LARGE().webp().toBuffer()), /unable to parse|webp/i],
  ['a truncated GIF', async () => half(await LARGE().gif().toBuffer()), /gif/i],
  ['a truncated TIFF', async () => half(await LARGE().tiff().toBuffer()), /unsupported|tiff/i],
  ['a PNG with a flipped bit', async () => flipped(await LARGE().png().toBuffer()), /read error/],
  ['text', () => Promise.resolve(Buffer.from('not an image')), /unsupported image format/],
  ['an empty file', () => Promise.resolve(Buffer.alloc(0)), /the file is empty/],
  [
    'a BMP without its header',
    () => Promise.resolve(Buffer.from('BM\x1e\0\0\0', 'latin1')),
    /ends within its header/,
  ],
  [
    'a 16-bit PNG of values below 256',
    () =>
      raw16(1, new Uint8Array(W * H))
        .toColourspace('grey16')
        .png()
        .toBuffer(),
    /16-bit values are all below 256/,
  ],
  [
    'an SVG drawing',
    () => Promise.resolve(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')),
    /SVG drawing/,
  ],
  ['a header of four billion pixels', () => hugePng(), /pixel/],
  [
    'a BMP header of four billion pixels',
    () => Promise.resolve(hugeBmp()),
    /65535 x 65536 pixels, more than/,
  ],
];

/** A header that asks for 12 GB, and little else. */
async function hugePng(): Promise<Buffer> {
  const bytes = await LARGE().png().toBuffer();
  bytes.writeUInt32BE(65_535, 16);
  bytes.writeUInt32BE(65_535, 20);
  bytes.writeUInt32BE(crc32Of(bytes.subarray(12, 29)), 29);
  return bytes;
}

/** PNG's checksum, bit by bit. */
function crc32Of(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  }
  return ~crc >>> 0;
}

function hugeBmp(): Buffer {
  const bytes = Buffer.alloc(60);
  bytes.write('BM');
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeUInt32LE(65_535, 18);
  bytes.writeUInt32LE(65_536, 22);
  bytes.writeUInt16LE(24, 28);
  return bytes;
}

function half(bytes: Buffer): Buffer {
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}

function flipped(bytes: Buffer): Buffer {
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = bytes[middle]! ^ 1;
  return bytes;
}

for (const [what, make, reason] of DAMAGED) {
  test(`${what} is refused with its path`, async (t) => {
    const path = join(await temporaryFolder(t), 'damaged.jpg');
    await writeFile(path, await make());
    await assert.rejects(decodeImage(path), (error: Error) => {
      assert.match(error.message, /^DATA_BROKEN_IMAGE/);
      assert.ok(error.message.includes(path));
      assert.match(error.message, reason);
      return true;
    });
  });
}

test('a file that is not there and a folder are unreadable, not broken', async (t) => {
  const dir = await temporaryFolder(t);
  await assert.rejects(decodeImage(join(dir, 'none.jpg')), { code: 'DATA_UNREADABLE', message: /ENOENT/ });
  await assert.rejects(decodeImage(dir), { code: 'DATA_UNREADABLE', message: /EISDIR/ });
});
