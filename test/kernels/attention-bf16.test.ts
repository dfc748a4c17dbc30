import assert from 'node:assert/strict';
import { STORAGE } from '../../src/kernels/kernel-api/memory.js';
import { attentionGradient, attentionOf, type Shape } from './attention-reference.js';
import { operands, run, type Case } from './attention-run.js';
import { assertClose, normals, testKernels } from './kernel-device.js';

/** ||actual - expected|| / ||expected|| over the elements that `takes` takes. */
function relativeError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  takes: (element: number) => boolean = () => true,
): number {
  let [apart, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    if (!takes(i)) continue;
    apart += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(apart / size);
}

/** As ViTs have them: padded queries and keys, several blocks of either, a width that is not a power of two. */
const BF16_SHAPES: readonly (Shape & { readonly spread: number })[] = [
  { images: 2, tokens: 65, heads: 2, width: 32, spread: 1 },
  { images: 1, tokens: 65, heads: 2, width: 64, spread: 1 },
  { images: 1, tokens: 197, heads: 1, width: 64, spread: 1 },
  { images: 1, tokens: 197, heads: 1, width: 80, spread: 1 },
  { images: 1, tokens: 50, heads: 1, width: 128, spread: 1 },
  { images: 1, tokens: 145, heads: 1, width: 104, spread: 1 },
  { images: 1, tokens: 577, heads: 1, width: 64, spread: 1 },
  // Maxima that rise again and again.
  { images: 1, tokens: 130, heads: 2, width: 16, spread: 4 },
];

interface Reference extends ReturnType<typeof attentionOf> {
  readonly dQkv: Float64Array;
}
const known = new Map<object, Reference>();

/** The reference, worked out once for all levels. */
function referenceOf(key: object, c: Case, qkv: Float32Array, dOut: Float32Array): Reference {
  const reference = known.get(key) ?? { ...attentionOf(c, qkv), dQkv: attentionGradient(c, qkv, dOut) };
  known.set(key, reference);
  return reference;
}

testKernels('in bf16 a head of a ViT has the error of bf16', (device) => {
  for (const entry of BF16_SHAPES) {
    const { spread, ...shape } = entry;
    const { tokens, heads, width } = shape;
    const c = { ...shape, bf16: true, storage: STORAGE.bf16 };
    const { qkv, dOut } = operands(c);
    const partOf = (i: number): number => Math.floor(i / (heads * width)) % 3;
    const given = qkv.map((v, i) => (partOf(i) < 2 ? spread * v : v));
    const actual = run(device, c, given, dOut);
    const expected = referenceOf(entry, c, given, dOut);
    const what = `${device.level}, ${tokens} x ${width}`;
    assertClose(actual.logSumExp, expected.logSumExp, 1e-5, what);
    // 2^-9 is the largest error of one rounding.
    const error = relativeError(actual.out, expected.out);
    assert.ok(error < 4e-3, `${what}: out is off by ${error}`);
    for (const part of [0, 1, 2]) {
      const off = relativeError(actual.dQkv, expected.dQkv, (i) => partOf(i) === part);
      assert.ok(off < 8e-3, `${what}: part ${part} of dQkv is off by ${off}`);
    }
  }
});

testKernels('a query has the same bits whatever else is in the batch', (device) => {
  const shape = { tokens: 130, heads: 1, width: 64, bf16: true, storage: STORAGE.bf16 };
  const [qkv, dOut] = [normals(3 * 130 * 192, 7), normals(3 * 130 * 64, 8)];
  const all = run(device, { images: 3, ...shape }, qkv, dOut);
  const one = run(device, { images: 1, ...shape }, qkv.slice(-130 * 192), dOut.slice(-130 * 64));
  assert.deepEqual(all.out.slice(-one.out.length), one.out);
  assert.deepEqual(all.dQkv.slice(-one.dQkv.length), one.dQkv);
});

testKernels(
  'keys that are infinitely far away get no weight in bf16, though they be a whole block',
  (device) => {
    const [tokens, far] = [40, 20];
    const shape = { images: 1, tokens, heads: 1, width: 8, bf16: true, storage: STORAGE.bf16 };
    // Every query and key has one element that is not 0; values are the numbers of their tokens.
    const qkv = new Float32Array(tokens * 24).map((_, i) => {
      const [token, element] = [Math.floor(i / 24), i % 24];
      if (element >= 16) return token;
      if (element === 0) return 1;
      return element === 8 && token < far ? -Infinity : 0;
    });
    const { out, logSumExp } = run(device, shape, qkv, new Float32Array(tokens * 8));
    const mean = (far + tokens - 1) / 2;
    assertClose(out, new Float32Array(tokens * 8).fill(mean), 4e-3, device.level);
    assertClose(logSumExp, new Float32Array(tokens).fill(Math.log(tokens - far)), 1e-5, device.level);
  },
);

testKernels('in bf16 NaN and infinities spoil their rows and columns alone', (device) => {
  const shape = { images: 1, tokens: 37, heads: 2, width: 16, bf16: true, storage: STORAGE.bf16 };
  const qkv = normals(37 * 96, 9);
  // A query of head 0, an infinite query of it too, a value of head 1.
  qkv[36 * 96] = NaN;
  qkv[20 * 96 + 3] = Infinity;
  qkv[5 * 96 + 64 + 16 + 7] = NaN;
  const { out } = run(device, shape, qkv, normals(37 * 32, 10));
  for (let i = 0; i < out.length; i++) {
    const [token, head, column] = [Math.floor(i / 32), Math.floor(i / 16) % 2, i % 16];
    const expected = head === 0 ? token === 36 || token === 20 : column === 7;
    assert.equal(Number.isNaN(out[i]), expected, `${device.level}: element ${i}`);
  }
});
