/**
 * Gemms by a GPU's library. The emulator has one that does what cuBLASLt is documented to do, so that all but the
 * library itself is tested without a GPU: which matrices and epilogues it is given, and what is left to passes of ours.
 */
import assert from 'node:assert/strict';
import { ACTIVATION } from '../../src/kernels/kernel-api/gemm.js';
import { STORAGE } from '../../src/kernels/kernel-api/memory.js';
import type { GemmLibraryKernels } from '../../src/kernels/kernel-api/gemm-library.js';
import { checkGemm, computedBy, type GemmCase } from './gemm-case.js';
import { DROPOUT, GEMM_CASES } from './gemm-cases.js';
import { testGpuGemms } from './gpu-gemms.js';

const { f32, bf16 } = STORAGE;

for (const [name, cases] of GEMM_CASES) {
  testGpuGemms(`by the library: ${name}`, (device, products) => {
    for (const by of cases) checkGemm(device, by);
    const choices = products.gemmChoices();
    assert.ok(choices.length > 0);
    // Our own kernel would hide what the library refuses.
    for (const { key, algorithm } of choices) assert.notEqual(algorithm, 'own', key);
  });
}

/** What is fused into the library's product: the first digit of a choice's algorithm. */
const FUSED = { bias: 1, gelu: 2, residual: 4, sums: 8 };

/** Linear layers of a transformer, forward and backward, in bf16 as they are trained. */
const STORED = [bf16, bf16, bf16] as const;
const LAYERS: readonly (readonly [string, GemmCase, number])[] = [
  ['query, key and value', { m: 24, n: 40, k: 16, stored: STORED, bias: true }, FUSED.bias],
  [
    'projection onto the residual',
    { m: 24, n: 16, k: 16, stored: STORED, bias: true, residual: 'own' },
    FUSED.bias + FUSED.residual,
  ],
  [
    'first layer of the perceptron',
    { m: 24, n: 64, k: 16, stored: STORED, bias: true, activation: ACTIVATION.geluTanh, preActivation: true },
    FUSED.bias + FUSED.gelu,
  ],
  [
    'the same, with nothing saved',
    { m: 24, n: 64, k: 16, stored: STORED, bias: true, activation: ACTIVATION.geluTanh },
    FUSED.bias + FUSED.gelu,
  ],
  [
    'the same, with erf',
    { m: 24, n: 64, k: 16, stored: STORED, bias: true, activation: ACTIVATION.geluErf, preActivation: true },
    FUSED.bias,
  ],
  [
    'the same, in rows that the library cannot store beside the result',
    { m: 24, n: 60, k: 16, stored: STORED, bias: true, activation: ACTIVATION.geluTanh, preActivation: true },
    FUSED.bias,
  ],
  [
    'dropout before the residual',
    { m: 24, n: 16, k: 64, stored: STORED, bias: true, residual: 'other', dropout: DROPOUT },
    FUSED.bias,
  ],
  [
    'the same, onto the residual itself',
    { m: 24, n: 16, k: 64, stored: STORED, bias: true, residual: 'own', dropout: DROPOUT },
    FUSED.bias,
  ],
  ['gradient of an input', { m: 24, n: 16, k: 40, stored: STORED }, 0],
  [
    'gradient of weights and bias',
    { m: 40, n: 16, k: 24, stored: [bf16, bf16, f32], transposeA: true, rowSums: true },
    0,
  ],
  [
    'the same, added to what is there',
    { m: 40, n: 16, k: 24, stored: [bf16, bf16, f32], transposeA: true, rowSums: true, accumulate: true },
    0,
  ],
  ['fp32 stored as bf16', { m: 24, n: 40, k: 16, stored: [f32, f32, bf16], bias: true }, FUSED.bias],
  [
    'GELU without a bias, batch by batch',
    {
      m: 24,
      n: 40,
      k: 16,
      stored: STORED,
      batch: 3,
      activation: ACTIVATION.geluTanh,
      preActivation: true,
    },
    FUSED.gelu,
  ],
];

function fusedOf(products: GemmLibraryKernels): number {
  const [choice, ...others] = products.gemmChoices();
  assert.ok(choice && others.length === 0);
  return Number.parseInt(choice.algorithm.charAt(0), 16);
}

testGpuGemms('what follows a layer of a transformer is fused into its product', (device, products) => {
  for (const [what, by, fused] of LAYERS) {
    products.setGemmChoices({ choices: [] });
    checkGemm(device, by);
    assert.equal(fusedOf(products), fused, what);
  }
});

testGpuGemms('a product is right whatever of it is fused', (device, products) => {
  const seen = new Set<number>();
  for (const [what, by] of LAYERS) {
    products.setGemmChoices({ choices: [] });
    checkGemm(device, by);
    const [first] = products.gemmChoices();
    for (let fused = 0; fused < 16; fused++) {
      const algorithm = `${fused.toString(16)}:first`;
      products.setGemmChoices({ choices: [{ ...first!, algorithm }] });
      try {
        checkGemm(device, by);
        seen.add(fused);
      } catch (error) {
        // What does not apply to this layer.
        assert.match(String(error), /does not fit this GPU/, what);
        device.releaseAll();
      }
    }
  }
  const { bias, gelu, residual, sums } = FUSED;
  for (const fused of [0, bias, gelu, bias + gelu, bias + residual, sums])
    assert.ok(seen.has(fused), `${fused}`);
});

testGpuGemms('timing a product leaves what it adds to alone', (device, products) => {
  (device.kernels as typeof device.kernels & GemmLibraryKernels).configure({ tune: true });
  for (const [what, by] of LAYERS) {
    products.setGemmChoices({ choices: [] });
    checkGemm(device, by);
    checkGemm(device, by);
    const [choice, ...others] = products.gemmChoices();
    assert.deepEqual(others, [], what);
    assert.ok(choice!.microseconds > 0, what);
  }
});

testGpuGemms('choices that are saved and set again are what is computed by', (device, products) => {
  const empty = products.gemmLibrary().digest;
  for (const [, by] of LAYERS) checkGemm(device, by);
  const choices = products.gemmChoices();
  assert.equal(products.gemmLibrary().digest, empty, 'what was not timed follows from the library');
  assert.deepEqual(
    choices.map(({ key }) => key),
    choices.map(({ key }) => key).sort(),
  );
  products.setGemmChoices({ choices });
  const full = products.gemmLibrary().digest;
  assert.notEqual(full, empty);
  for (const [, by] of LAYERS) checkGemm(device, by);
  assert.deepEqual(products.gemmChoices(), choices);
  products.setGemmChoices({ choices: [...choices].reverse() });
  assert.equal(products.gemmLibrary().digest, full, 'the order of a table does not matter');
  products.setGemmChoices({ choices: choices.slice(1) });
  assert.notEqual(products.gemmLibrary().digest, full);
});

testGpuGemms('a choice can be our own kernel', (device, products) => {
  checkGemm(device, LAYERS[0]![1]);
  const [choice] = products.gemmChoices();
  products.setGemmChoices({ choices: [{ ...choice!, algorithm: 'own' }] });
  checkGemm(device, LAYERS[0]![1]);
});

testGpuGemms('choices of another library or GPU are refused with their product', (device, products) => {
  checkGemm(device, LAYERS[0]![1]);
  const [choice] = products.gemmChoices();
  const other = choice!.algorithm.slice(0, 2) + 'ff'.repeat(64);
  products.setGemmChoices({ choices: [{ ...choice!, algorithm: other }] });
  assert.throws(() => {
    checkGemm(device, LAYERS[0]![1]);
  }, /^Error: the algorithm chosen for the product 24x40x16 nn bf16,bf16>bf16 .* does not fit this GPU or cuBLASLt/);
});

testGpuGemms('sums of rows are not fused into a product that is scaled', (device, products) => {
  const stored = [bf16, bf16, f32] as const;
  const by: GemmCase = { m: 40, n: 16, k: 24, stored, transposeA: true, rowSums: true, alpha: 0.5 };
  checkGemm(device, by);
  const [choice] = products.gemmChoices();
  products.setGemmChoices({ choices: [{ ...choice!, algorithm: `${FUSED.sums}:first` }] });
  assert.throws(() => {
    checkGemm(device, by);
  }, /scaled sums does not fit/);
});

testGpuGemms('a table that is no table is refused', (_device, products) => {
  const good = { key: 'k', algorithm: 'own', microseconds: 0 };
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /^TypeError: choices: a list is missing/],
    ['own', /^TypeError: choices: a list is missing/],
    [[good, 7], /^TypeError: choices: item 1 is no object/],
    [[{ ...good, key: 7 }], /^TypeError: choices: item 0 is no \{ key/],
    [[{ ...good, microseconds: '1' }], /^TypeError: choices: item 0 is no \{ key/],
    [[{ ...good, algorithm: 'fast' }], /^TypeError: choices: item 0 names no algorithm/],
    [[{ ...good, algorithm: '1:firsts' }], /^TypeError: choices: item 0 names no algorithm/],
    [[{ ...good, algorithm: `1:${'g'.repeat(128)}` }], /^TypeError: choices: item 0 names no algorithm/],
    [[{ ...good, algorithm: `1:${'0'.repeat(126)}` }], /^TypeError: choices: item 0 names no algorithm/],
  ];
  for (const [choices, message] of refused) {
    assert.throws(() => {
      products.setGemmChoices({ choices } as never);
    }, message);
  }
  assert.deepEqual(products.gemmChoices(), []);
});

testGpuGemms('products are rounded to TF32 only if that is asked for', (device, products) => {
  const [m, n, k] = [8, 8, 64];
  const values = (seed: number): number[] => Array.from({ length: m * k }, (_, i) => Math.cos(i * seed));
  const run = (): number[] => {
    const c = device.space(m * n);
    device.kernels.gemm({ a: device.hold(values(1)), b: device.hold(values(2)), c, m, n, k });
    return [...device.read(c, m * n)];
  };
  const exact = run();
  products.configure({ tf32: true });
  const rounded = run();
  assert.notDeepEqual(rounded, exact);
  rounded.forEach((value, i) => {
    assert.ok(Math.abs(value - exact[i]!) < 0.05);
  });
  const choices = products.gemmChoices();
  assert.deepEqual(choices.map(({ key }) => key.split(' ')[3]).sort(), ['fp32', 'tf32']);
});

testGpuGemms('who computes products is told', (device, products) => {
  const library = products.gemmLibrary();
  assert.equal(library.name, 'cublaslt');
  assert.match(library.version, /^\d+\.\d+\.\d+$/);
  assert.match(library.digest, /^[0-9a-f]{16}$/);
  computedBy('own', device, () => {
    const own = products.gemmLibrary();
    assert.deepEqual({ ...own, digest: '' }, { name: 'own', version: '', path: '', digest: '' });
    assert.notEqual(own.digest, library.digest);
    checkGemm(device, LAYERS[0]![1]);
    assert.deepEqual(products.gemmChoices(), []);
  });
  assert.throws(() => products.configure({ gemm: 'other' as never }), /^TypeError: gemm: other is unknown/);
});

testGpuGemms('what may not be the same from run to run is never chosen', (device, products) => {
  if (device.level !== 'emulated') return;
  for (const [, by] of LAYERS) checkGemm(device, by);
  products.configure({ tune: true });
  checkGemm(device, { m: 9, n: 9, k: 9 });
  const chosen = products.gemmChoices().map(({ algorithm }) => Number.parseInt(algorithm.slice(2, 4), 16));
  // 11 and 12 are the emulated library's orderly algorithms; others add in place, or need more memory than there is.
  for (const number of chosen) assert.ok(number === 11 || number === 12, `${number}`);
});
