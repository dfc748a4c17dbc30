import assert from 'node:assert/strict';
import { PURPOSE } from '../../src/numbers/random/keyed-random.js';
import { pixelScale, writePatches } from '../../src/run/model/patches.js';
import { dropoutMask } from '../../src/kernels/dropout-mask.js';
import type { DropoutStream } from '../../src/kernels/dropout-mask.js';
import { STORAGE } from '../../src/kernels/kernel-api/memory.js';
import { assertClose, normals, roundedToBf16, testKernels, type KernelDevice } from './kernel-device.js';

/** Other values in every channel. */
const SCALE = pixelScale({ transform: 'paper', mean: '0.485,0.456,0.406', std: '0.229,0.224,0.225' });
const KEY = { rate: 0.25, seed: 12, step: 3, microBatch: 2 };
const SITE = 5;
const DROPOUT: DropoutStream = {
  dropBelow: 0x4000,
  kept: 1 / 0.75,
  key: [KEY.seed, PURPOSE.dropout],
  path: [SITE, KEY.microBatch, KEY.step],
};

testKernels('patches are those of the data pipeline, mirrored or not', (device) => {
  for (const [images, side, patch] of [
    [3, 8, 4],
    [2, 6, 1],
    [2, 15, 5],
    [1, 32, 16],
    [2, 7, 7],
    [2, 16, 8],
    [1, 48, 24],
    [0, 4, 2],
  ] as const) {
    const length = side * side * 3;
    const pixels = Uint8Array.from({ length: images * length }, (_, i) => (i * 37 + (i >> 4)) & 255);
    const flips = Uint8Array.from({ length: images }, (_, i) => i & 1);
    const expected = new Float32Array(images * length);
    for (let i = 0; i < images; i++) {
      const image = pixels.subarray(i * length, (i + 1) * length);
      writePatches(image, side, patch, SCALE, flips[i] === 1, expected, i * length);
    }
    for (const storage of [STORAGE.f32, STORAGE.bf16]) {
      const y = device.space(images * length, storage);
      device.kernels.patchesFromPixels({
        pixels: device.hold(pixels, STORAGE.u8),
        flips: device.hold(flips, STORAGE.u8),
        values: device.hold(SCALE),
        y,
        images,
        side,
        patch,
      });
      const rounded = storage === STORAGE.bf16 ? roundedToBf16(expected) : expected;
      assert.deepEqual(device.read(y, expected.length), rounded, `${device.level} ${side}/${patch}`);
    }
  }
});

const SHAPES = [
  { images: 3, patches: 4, width: 8 },
  { images: 2, patches: 1, width: 1 },
  { images: 5, patches: 17, width: 19 },
  { images: 2, patches: 33, width: 33 },
  { images: 2, patches: 16, width: 192 },
  { images: 19, patches: 2, width: 40 },
  { images: 11, patches: 3, width: 13 },
  { images: 2, patches: 0, width: 5 },
  { images: 0, patches: 3, width: 5 },
];

type Shape = (typeof SHAPES)[number];

function operands({ images, patches, width }: Shape) {
  return {
    projected: roundedToBf16(normals(images * patches * width, 1)),
    classToken: normals(width, 2),
    position: normals((patches + 1) * width, 3),
    dz: roundedToBf16(normals(images * (patches + 1) * width, 4)),
  };
}

function tokens(shape: Shape, mask: (at: number) => number) {
  const { projected, classToken, position, dz } = operands(shape);
  const tokensOfImage = shape.patches + 1;
  const dPosition = new Float64Array(tokensOfImage * shape.width);
  const dProjected: number[] = [];
  const z = Array.from(dz, (gradient, at) => {
    const column = at % shape.width;
    const row = (at - column) / shape.width;
    const token = row % tokensOfImage;
    const image = (row - token) / tokensOfImage;
    dPosition[token * shape.width + column]! += gradient * mask(at);
    if (token > 0) dProjected.push(gradient * mask(at));
    const from = (image * shape.patches + token - 1) * shape.width + column;
    const x = token === 0 ? classToken[column]! : projected[from]!;
    return (x + position[token * shape.width + column]!) * mask(at);
  });
  return { z, dProjected, dPosition, dClassToken: dPosition.subarray(0, shape.width) };
}

function check(device: KernelDevice, shape: Shape, withDropout: boolean): void {
  const o = operands(shape);
  const mask = dropoutMask(KEY, SITE, o.dz.length);
  const expected = tokens(shape, (at) => (withDropout ? mask[at]! : 1));
  for (const storage of [STORAGE.f32, STORAGE.bf16]) {
    const what = `${device.level} ${JSON.stringify(shape)} ${storage}`;
    const tolerance = storage === STORAGE.bf16 ? 4e-3 : 1e-6;
    const dropout = withDropout ? DROPOUT : undefined;
    const z = device.space(o.dz.length, storage);
    device.kernels.assembleTokens({
      ...shape,
      projected: device.hold(o.projected, storage),
      classToken: device.hold(o.classToken),
      position: device.hold(o.position),
      z,
      dropout,
    });
    assertClose(device.read(z, o.dz.length), expected.z, tolerance, `${what}: z`);
    const dProjected = device.space(o.projected.length, storage);
    const [dClassToken, dPosition] = [device.space(shape.width), device.space(o.position.length)];
    device.kernels.assembleTokensBackward({
      ...shape,
      dz: device.hold(o.dz, storage),
      dProjected,
      dClassToken,
      dPosition,
      dropout,
    });
    assertClose(
      device.read(dProjected, o.projected.length),
      expected.dProjected,
      tolerance,
      `${what}: patches`,
    );
    assertClose(device.read(dClassToken, shape.width), expected.dClassToken, 1e-6, `${what}: class token`);
    assertClose(device.read(dPosition, o.position.length), expected.dPosition, 1e-6, `${what}: position`);
  }
}

testKernels('tokens and their gradients are those of equation 1', (device) => {
  for (const shape of SHAPES) check(device, shape, false);
});

testKernels('dropout of tokens counts elements over the whole tensor, as the mask does', (device) => {
  for (const shape of SHAPES) check(device, shape, true);
});

testKernels('NaN and infinities pass through to where they belong', (device) => {
  const shape = { images: 1, patches: 2, width: 2 };
  const z = device.space(6);
  device.kernels.assembleTokens({
    ...shape,
    projected: device.hold([1, NaN, Infinity, 4]),
    classToken: device.hold([0, -Infinity]),
    z,
    position: device.hold([1, 1, 1, 1, -Infinity, 1]),
  });
  assert.deepEqual(Array.from(device.read(z, 6)), [1, -Infinity, 2, NaN, NaN, 5]);
});

testKernels('sizes that do not fit are refused by name', (device) => {
  const { kernels } = device;
  const u8 = device.space(48, STORAGE.u8);
  const by = { pixels: u8, flips: u8, values: device.space(768), y: device.space(48), images: 1, side: 4 };
  assert.throws(() => kernels.patchesFromPixels({ ...by, patch: 3 }), /patch: 3 does not divide a side of 4/);
  assert.throws(() => kernels.patchesFromPixels({ ...by, patch: 2, images: 2 }), /pixels: 48 elements/);
  assert.throws(() => kernels.patchesFromPixels({ ...by, patch: 2, values: device.space(767) }), /values/);
  assert.throws(() => kernels.patchesFromPixels({ ...by, patch: 2, y: u8 }), /y: not stored as f32 or bf16/);
  assert.throws(() => kernels.patchesFromPixels({ ...by, patch: 0 }), /patch/);
  const shape = { images: 2, patches: 3, width: 4 };
  const fields = { ...shape, classToken: device.space(4), position: device.space(16), z: device.space(32) };
  kernels.assembleTokens({ ...fields, projected: device.space(24) });
  assert.throws(() => kernels.assembleTokens({ ...fields, projected: device.space(23) }), /projected: 23/);
  assert.throws(
    () => kernels.assembleTokens({ ...fields, projected: device.space(24), z: device.space(31) }),
    /z: 31/,
  );
  const huge = { ...fields, projected: device.space(24), images: 2 ** 24, patches: 2 ** 24 };
  assert.throws(() => kernels.assembleTokens(huge), /images: too many/);
});
