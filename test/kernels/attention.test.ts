import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STORAGE } from '../../src/kernels/kernel-api/memory.js';
import { attentionGradient, attentionOf, type Shape } from './attention-reference.js';
import { operands, run, type Case } from './attention-run.js';
import { assertClose, normals, roundedToBf16, testKernels, type KernelDevice } from './kernel-device.js';

const SHAPES: readonly Shape[] = [
  { images: 1, tokens: 1, heads: 1, width: 1 },
  { images: 2, tokens: 2, heads: 1, width: 3 },
  { images: 1, tokens: 3, heads: 2, width: 8 },
  { images: 1, tokens: 15, heads: 1, width: 17 },
  { images: 1, tokens: 16, heads: 2, width: 16 },
  { images: 2, tokens: 17, heads: 3, width: 32 },
  { images: 1, tokens: 33, heads: 1, width: 33 },
  { images: 1, tokens: 64, heads: 2, width: 5 },
  { images: 1, tokens: 65, heads: 3, width: 64 },
  { images: 1, tokens: 127, heads: 1, width: 31 },
  { images: 1, tokens: 197, heads: 1, width: 64 },
  { images: 1, tokens: 257, heads: 1, width: 80 },
  { images: 1, tokens: 577, heads: 1, width: 20 },
  { images: 0, tokens: 5, heads: 1, width: 4 },
  { images: 2, tokens: 0, heads: 1, width: 4 },
];

type Expected = ReturnType<typeof attentionOf> & { readonly dQkv: Float64Array };
const known = new Map<string, Expected>();

/** The reference, worked out once for all levels. */
function expectedOf(c: Case): Expected {
  const { qkv, dOut } = operands(c);
  const name = [c.images, c.tokens, c.heads, c.width, qkv[0]].join();
  const expected = known.get(name) ?? { ...attentionOf(c, qkv), dQkv: attentionGradient(c, qkv, dOut) };
  known.set(name, expected);
  return expected;
}

function check(device: KernelDevice, c: Case, tolerance: number): void {
  const { qkv, dOut } = operands(c);
  const actual = run(device, c, qkv, dOut);
  const expected = expectedOf(c);
  const what = `${device.level} ${JSON.stringify(c)}`;
  assertClose(actual.logSumExp, expected.logSumExp, c.bf16 === true ? 1e-5 : 2e-6, `${what}: logSumExp`);
  assertClose(actual.out, expected.out, tolerance, `${what}: out`);
  assertClose(actual.dQkv, expected.dQkv, 2 * tolerance, `${what}: dQkv`);
}

test('the gradient of the reference is what differences of its values give', () => {
  const shape = { images: 2, tokens: 4, heads: 2, width: 3 };
  const { length, qkv, dOut } = operands(shape);
  const gradient = attentionGradient(shape, qkv, dOut);
  const objective = (x: Float64Array): number =>
    attentionOf(shape, x).out.reduce((sum, v, i) => sum + v * dOut[i]!, 0);
  for (let i = 0; i < 3 * length; i++) {
    const [low, high] = [-1e-4, 1e-4].map((step) => {
      const moved = Float64Array.from(qkv);
      moved[i]! += step;
      return objective(moved);
    });
    assert.ok(Math.abs((high! - low!) / 2e-4 - gradient[i]!) < 1e-6, `element ${i}`);
  }
});

testKernels('attention and its gradient are those of the definition', (device) => {
  for (const shape of SHAPES) check(device, shape, 1e-6);
});

testKernels('tensors stored as bf16 are computed with in fp32', (device) => {
  for (const shape of SHAPES) check(device, { ...shape, storage: STORAGE.bf16 }, 1e-2);
});

testKernels('with operands in bf16 the error is that of their rounding', (device) => {
  for (const shape of SHAPES) check(device, { ...shape, bf16: true }, 1e-2);
  for (const shape of SHAPES) check(device, { ...shape, bf16: true, storage: STORAGE.bf16 }, 2e-2);
});

testKernels('operands that are not of bf16 are rounded to it', (device) => {
  const shape = { images: 1, tokens: 21, heads: 2, width: 24 };
  const [qkv, dOut] = [normals(21 * 144, 1), normals(21 * 48, 2)];
  const rounded = run(device, { ...shape, bf16: true }, roundedToBf16(qkv), dOut);
  const given = run(device, { ...shape, bf16: true }, qkv, dOut);
  assert.deepEqual(given.out, rounded.out, device.level);
  assert.deepEqual(given.dQkv, rounded.dQkv, device.level);
});

testKernels('scores of any size are summed up without overflow', (device) => {
  const shape = { images: 1, tokens: 19, heads: 1, width: 4 };
  const qkv = normals(19 * 12, 3).map((v, i) => (i % 12 < 8 ? 100 * v : v));
  const dOut = normals(19 * 4, 4);
  const actual = run(device, shape, qkv, dOut);
  const expected = attentionOf(shape, qkv);
  assertClose(actual.logSumExp, expected.logSumExp, 1e-6, device.level);
  // Scores of up to 50,000 have errors of some 2^-9: so have the probabilities.
  assertClose(actual.out, expected.out, 2e-2, device.level);
});

testKernels('NaN and infinities spoil the rows that they do in PyTorch', (device) => {
  const shape = { images: 2, tokens: 18, heads: 2, width: 2 };
  for (const bf16 of [false, true]) {
    const qkv = normals(2 * 18 * 12, 5);
    const at = (image: number, token: number, part: number, head: number): number =>
      (image * 18 + token) * 12 + part * 4 + head * 2;
    // A query: its row. A value: its image and head's column. A key of infinite score: the rows where it is +infinite.
    qkv[at(0, 17, 0, 0)] = NaN;
    qkv[at(0, 3, 2, 1) + 1] = NaN;
    qkv[at(1, 17, 1, 0)] = Infinity;
    const { out } = run(device, { ...shape, bf16 }, qkv, normals(2 * 18 * 4, 6));
    for (let image = 0; image < 2; image++) {
      for (let token = 0; token < 18; token++) {
        const row = Array.from(
          out.subarray((image * 18 + token) * 4, (image * 18 + token + 1) * 4),
          Number.isNaN,
        );
        const positive = qkv[at(image, token, 0, 0)]! > 0;
        const expected =
          image === 0 ? [token === 17, token === 17, false, true] : [positive, positive, false, false];
        assert.deepEqual(row, expected, `${device.level}: image ${image}, token ${token}, bf16 ${bf16}`);
      }
    }
  }
});

testKernels('a key that is infinitely far away gets no weight', (device) => {
  const shape = { images: 1, tokens: 3, heads: 1, width: 1 };
  // Queries 1, 1, 1; keys 0, -infinity, 0; values 2, 5, 4.
  const { out, logSumExp } = run(
    device,
    shape,
    Float32Array.of(1, 0, 2, 1, -Infinity, 5, 1, 0, 4),
    new Float32Array(3),
  );
  assert.deepEqual(Array.from(out), [3, 3, 3]);
  assertClose(logSumExp, [Math.LN2, Math.LN2, Math.LN2], 1e-6, device.level);
});

testKernels('sizes that do not fit are refused by name', (device) => {
  const shape = { images: 1, tokens: 3, heads: 2, width: 4 };
  const [qkv, out, logSumExp] = [device.space(72), device.space(24), device.space(6)];
  const { kernels } = device;
  assert.throws(
    () => kernels.attentionForward({ ...shape, qkv: out, out, logSumExp }),
    /qkv: 24 elements where 72/,
  );
  assert.throws(
    () => kernels.attentionForward({ ...shape, qkv, out: logSumExp, logSumExp }),
    /out: 6 elements/,
  );
  assert.throws(
    () => kernels.attentionForward({ ...shape, qkv, out, logSumExp: device.space(5) }),
    /logSumExp: 5/,
  );
  assert.throws(() => kernels.attentionForward({ ...shape, width: 0, qkv, out, logSumExp }), /width/);
  const huge = { images: 2 ** 24, tokens: 2 ** 20, heads: 2 ** 16, width: 2 ** 16 };
  assert.throws(() => kernels.attentionForward({ ...huge, qkv, out, logSumExp }), /images: too many/);
  const back = { ...shape, qkv, out, logSumExp, dQkv: qkv };
  assert.throws(() => kernels.attentionBackward({ ...back, dOut: logSumExp }), /dOut: 6 elements/);
  assert.throws(() => kernels.attentionBackward({ ...back, dOut: out, dQkv: out }), /dQkv: 24 elements/);
});
