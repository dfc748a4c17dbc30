import assert from 'node:assert/strict';
import type { Gemm } from '../../src/kernels/kernel-api/gemm.js';
import { STORAGE } from '../../src/kernels/kernel-api/memory.js';
import { checkGemm, computedBy } from './gemm-case.js';
import { DROPOUT, GEMM_CASES } from './gemm-cases.js';
import { testKernels, type KernelDevice } from './kernel-device.js';

const { bf16 } = STORAGE;

for (const [name, cases] of GEMM_CASES) {
  testKernels(name, (device) => {
    computedBy('own', device, () => {
      for (const by of cases) checkGemm(device, by);
    });
  });
}

const REFUSED: readonly [string, (device: KernelDevice) => Partial<Gemm>, RegExp][] = [
  ['a negative size', () => ({ m: -1 }), /^TypeError: m: -1/],
  ['a fraction', () => ({ k: 1.5 }), /^TypeError: k: 1\.5/],
  ['a size beyond all memory', () => ({ m: 2 ** 30, lda: 2 ** 30 }), /^TypeError: a: 24 elements/],
  ['an operand that is too short', (d) => ({ b: d.space(29) }), /^TypeError: b: 29 elements where 30/],
  ['a result that is too short', (d) => ({ c: d.space(19) }), /^TypeError: c: 19 elements where 20/],
  ['rows that overlap', () => ({ lda: 5 }), /^TypeError: lda: 5/],
  ['a batch that does not fit', () => ({ batch: 2 }), /^TypeError: a: 24 elements where 48/],
  ['results that overlap', () => ({ batch: 2, strideC: 0 }), /^TypeError: strideC: the results overlap/],
  ['whole numbers', (d) => ({ a: d.space(24, STORAGE.i32) }), /^TypeError: a: not stored as f32 or bf16/],
  ['a short bias', (d) => ({ bias: d.space(4) }), /^TypeError: bias: 4 elements where 5/],
  ['a bias in bf16', (d) => ({ bias: d.space(5, bf16) }), /^TypeError: bias: stored in another type/],
  ['a residual unlike c', (d) => ({ residual: d.space(20, bf16) }), /^TypeError: residual: stored in/],
  ['short row sums', (d) => ({ rowSumsOfA: d.space(3) }), /^TypeError: rowSumsOfA: 3 elements where 4/],
  ['an unknown activation', () => ({ activation: 3 as never }), /^TypeError: activation: 3/],
  ['adding with a bias', (d) => ({ accumulate: true, bias: d.space(5) }), /^TypeError: accumulate: not/],
  [
    'dropout of strided rows',
    (d) => ({ c: d.space(40), ldc: 6, dropout: DROPOUT }),
    /^TypeError: dropout: only/,
  ],
];

testKernels('what does not fit is refused with the field', (device) => {
  for (const [what, change, message] of REFUSED) {
    const fitting = { a: device.space(24), b: device.space(30), c: device.space(20), m: 4, n: 5, k: 6 };
    device.kernels.gemm(fitting);
    assert.throws(() => device.kernels.gemm({ ...fitting, ...change(device) }), message, what);
  }
  const a = device.space(16);
  assert.throws(
    () => device.kernels.gemm({ a, b: device.space(16), c: a, m: 4, n: 4, k: 4 }),
    /^TypeError: c: is/,
  );
});
