/** Runs one matrix product on a device and compares all it writes with the reference. */
import assert from 'node:assert/strict';
import type { DropoutStream } from '../../src/kernels/kernel-api/activation.js';
import { ACTIVATION, type Activation } from '../../src/kernels/kernel-api/gemm.js';
import { STORAGE, type Storage } from '../../src/kernels/kernel-api/memory.js';
import { type GemmLibraryKernels, type GemmSettings } from '../../src/kernels/kernel-api/gemm-library.js';
import { product, rowSums, type Bounded, type Product } from './gemm-reference.js';
import { normals, roundToBf16, type KernelDevice } from './kernel-device.js';
import { isGpu } from '../../src/kernels/kernel-api.js';

export interface GemmCase {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Of a, b and c; f32 where missing. */
  readonly stored?: readonly [Storage, Storage, Storage];
  /** Elements between rows that belong to no matrix. */
  readonly gap?: number;
  readonly batch?: number;
  readonly strideA?: number;
  readonly strideB?: number;
  readonly strideC?: number;
  readonly ldc?: number;
  readonly alpha?: number;
  readonly accumulate?: boolean;
  readonly bf16?: boolean;
  readonly bias?: boolean;
  readonly activation?: Activation;
  readonly preActivation?: boolean;
  readonly dropout?: DropoutStream;
  /** `own`: c itself. */
  readonly residual?: 'other' | 'own';
  readonly rowSums?: boolean;
  /** Puts values into a and b that normals have not. */
  readonly spoil?: (a: Float32Array, b: Float32Array) => void;
}

const { f32, bf16 } = STORAGE;

function stored(length: number, seed: number, storage: Storage): Float32Array {
  const values = normals(length, seed);
  return storage === bf16 ? values.map(roundToBf16) : values;
}

function operands(by: GemmCase): Product {
  const { m, n, k, transposeA = false, transposeB = false, batch = 1, gap = 0 } = by;
  const [storedA, storedB, storedC] = by.stored ?? [f32, f32, f32];
  const [rowsA, rowsB] = [transposeA ? k : m, transposeB ? n : k];
  const [lda, ldb, ldc] = [(transposeA ? m : k) + gap, (transposeB ? k : n) + gap, by.ldc ?? n + gap];
  const { strideA = rowsA * lda, strideB = rowsB * ldb, strideC = m * ldc } = by;
  const extent = (rows: number, lead: number, stride: number): number =>
    batch === 0 ? 0 : (batch - 1) * stride + rows * lead;
  const a = stored(extent(rowsA, lda, strideA), 1, storedA);
  const b = stored(extent(rowsB, ldb, strideB), 2, storedB);
  by.spoil?.(a, b);
  const c = stored(extent(m, ldc, strideC), 3, storedC);
  return {
    a,
    b,
    c,
    m,
    n,
    k,
    transposeA,
    transposeB,
    lda,
    ldb,
    ldc,
    batch,
    strideA,
    strideB,
    strideC,
    alpha: by.alpha ?? 1,
    accumulate: by.accumulate ?? false,
    bf16: by.bf16 ?? false,
    activation: by.activation ?? ACTIVATION.none,
    dropout: by.dropout,
    bias: by.bias ? normals(n, 4) : undefined,
    residual: by.residual === 'own' ? c : by.residual && stored(c.length, 5, storedC),
  };
}

function assertWithin(actual: ArrayLike<number>, expected: Bounded, storage: Storage, what: string): void {
  for (let i = 0; i < expected.values.length; i++) {
    const [value, wanted] = [actual[i]!, expected.values[i]!];
    const rounding = storage === bf16 && expected.bounds[i]! > 0 ? Math.abs(wanted) * 2 ** -8 + 1e-38 : 0;
    const bound = expected.bounds[i]! + rounding;
    const fits = Object.is(value, wanted) || value === wanted || Math.abs(value - wanted) <= bound;
    if (!fits) assert.fail(`${what}: element ${i} is ${value}, expected ${wanted} within ${bound}`);
  }
}

interface Expected {
  readonly p: Product;
  readonly c: Bounded;
  readonly preActivation: Bounded;
  readonly sums: Bounded;
}

/** References by case: they cost more than the kernels. */
const known = { exact: new Map<GemmCase, Expected>(), inSteps: new Map<GemmCase, Expected>() };

function expectedOf(by: GemmCase, inSteps: boolean): Expected {
  const entries = inSteps ? known.inSteps : known.exact;
  let entry = entries.get(by);
  if (entry === undefined) {
    const p = operands(by);
    const roundsBetween = inSteps && by.stored?.[2] === bf16;
    entry = { p, ...product({ ...p, roundsBetween }), sums: rowSums(p) };
    entries.set(by, entry);
  }
  return entry;
}

/** Runs `body` with a GPU's products by its library or by our own kernel; a processor's have one form. */
export function computedBy(products: 'own' | 'library', device: KernelDevice, body: () => void): void {
  const { kernels } = device;
  if (!isGpu(kernels)) {
    body();
    return;
  }
  const before = kernels.configure({});
  kernels.configure({ gemm: products });
  try {
    body();
  } finally {
    kernels.configure(before);
  }
}

function isByLibrary({ kernels }: KernelDevice): boolean {
  if (!isGpu(kernels)) return false;
  const settings: GemmSettings = (kernels as GemmLibraryKernels).configure({});
  return settings.gemm === 'library';
}

export function checkGemm(device: KernelDevice, by: GemmCase): void {
  const { p, c: wantedC, preActivation: wantedPre, sums: wantedSums } = expectedOf(by, isByLibrary(device));
  const [storedA, storedB, storedC] = by.stored ?? [f32, f32, f32];
  const c = device.hold(p.c, storedC);
  const preActivation = by.preActivation ? device.hold(p.c, storedC) : undefined;
  const sums = by.rowSums ? device.space(p.m) : undefined;
  const other = by.residual === 'other' && p.residual ? device.hold(p.residual, storedC) : undefined;
  device.kernels.gemm({
    ...p,
    a: device.hold(p.a, storedA),
    b: device.hold(p.b, storedB),
    c,
    preActivation,
    rowSumsOfA: sums,
    bias: p.bias && device.hold(p.bias),
    residual: by.residual === 'own' ? c : other,
  });
  const { spoil, ...shown } = by;
  const what = `${device.level} ${JSON.stringify(shown)}${spoil ? ' with NaN' : ''}`;
  assertWithin(device.read(c, p.c.length), wantedC, storedC, `c of ${what}`);
  if (preActivation)
    assertWithin(device.read(preActivation, p.c.length), wantedPre, storedC, `preActivation of ${what}`);
  if (sums) assertWithin(device.read(sums, p.m), wantedSums, f32, `rowSumsOfA of ${what}`);
  device.releaseAll();
}
