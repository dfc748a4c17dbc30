/** Matrix products of every kind that the kernels must get right. */
import { ACTIVATION } from '../../src/kernels/kernel-api/gemm.js';
import { STORAGE } from '../../src/kernels/kernel-api/memory.js';
import type { GemmCase } from './gemm-case.js';

const { f32, bf16 } = STORAGE;
const TRANSPOSES = [
  {},
  { transposeB: true },
  { transposeA: true },
  { transposeA: true, transposeB: true },
] as const;

const SIZES = [
  ...[0, 1, 2, 3, 5, 13, 14, 15, 28, 29, 31, 61].map((m) => ({ m, n: 33, k: 7 })),
  ...[0, 1, 7, 8, 15, 16, 17, 31, 32, 48, 63, 65].map((n) => ({ m: 15, n, k: 9 })),
  ...[0, 1, 2, 3, 15, 16, 17, 31, 33, 64, 65].map((k) => ({ m: 17, n: 37, k })),
];
const STORED = [f32, bf16].flatMap((a) =>
  [f32, bf16].flatMap((b) => [f32, bf16].map((c) => [a, b, c] as const)),
);
export const DROPOUT = { dropBelow: 6554, kept: 1 / 0.9, key: [11, 12], path: [13, 14, 15] } as const;
const EPILOGUES: readonly Partial<GemmCase>[] = [
  { bias: true },
  { bias: true, activation: ACTIVATION.geluTanh, preActivation: true },
  { bias: true, activation: ACTIVATION.geluErf, preActivation: true, dropout: DROPOUT },
  { bias: true, residual: 'other', dropout: DROPOUT },
  { residual: 'own' },
  { alpha: 0.5, bias: true, activation: ACTIVATION.geluErf, residual: 'own', dropout: DROPOUT },
];
const SPOILED = [NaN, Infinity, -Infinity];

/** By what they are about. */
export const GEMM_CASES: readonly (readonly [string, readonly GemmCase[]])[] = [
  [
    'products of every small size, any operand transposed',
    SIZES.flatMap((size) => TRANSPOSES.map((transposes) => ({ ...size, ...transposes }))),
  ],
  [
    'rows further apart than their length; what lies between is left alone',
    [
      ...TRANSPOSES.map((transposes) => ({ m: 31, n: 45, k: 19, gap: 3, ...transposes })),
      ...TRANSPOSES.map((transposes) => ({ m: 31, n: 45, k: 20, gap: 1, bf16: true, ...transposes })),
    ],
  ],
  [
    'operands and results stored in fp32 and bf16, computed in fp32 and bf16',
    STORED.flatMap((stored) =>
      [false, true].flatMap((rounded) =>
        TRANSPOSES.flatMap((transposes) =>
          [26, 27].map((k) => ({ m: 18, n: 41, k, stored, bf16: rounded, ...transposes })),
        ),
      ),
    ),
  ],
  [
    'products larger than every block',
    [
      { m: 2031, n: 17, k: 3, transposeB: true },
      { m: 271, n: 401, k: 41 },
      { m: 61, n: 397, k: 809 },
      { m: 241, n: 31, k: 389, transposeA: true, rowSums: true },
      { m: 61, n: 47, k: 1601, transposeB: true, bf16: true, stored: [bf16, f32, bf16] },
      { m: 130, n: 47, k: 1603, transposeA: true, bf16: true, stored: [bf16, bf16, f32], rowSums: true },
      { m: 243, n: 33, k: 800, bf16: true, bias: true, residual: 'other' },
    ],
  ],
  [
    'batches, dense, strided, interleaved, and with one matrix for all',
    [
      ...TRANSPOSES.map((transposes) => ({ m: 17, n: 17, k: 8, batch: 5, ...transposes })),
      { m: 9, n: 33, k: 12, batch: 4, strideB: 0 },
      { m: 9, n: 33, k: 12, batch: 4, strideA: 0, transposeA: true },
      { m: 9, n: 33, k: 12, batch: 3, strideA: 1, strideB: 5, strideC: 300 },
      { m: 9, n: 7, k: 12, batch: 3, strideC: 8, ldc: 25 },
      { m: 9, n: 33, k: 12, batch: 0 },
      { m: 40, n: 50, k: 30, batch: 2, accumulate: true, bf16: true, stored: [bf16, bf16, bf16] },
      { m: 13, n: 40, k: 6, batch: 3, bias: true, residual: 'other', activation: ACTIVATION.geluErf },
    ],
  ],
  [
    'alpha, and adding to what is there',
    [
      { m: 30, n: 50, k: 20, alpha: -0.125 },
      { m: 30, n: 50, k: 20, accumulate: true },
      { m: 30, n: 50, k: 0, accumulate: true },
      { m: 30, n: 50, k: 900, accumulate: true, transposeA: true, rowSums: true },
      { m: 30, n: 50, k: 900, accumulate: true, alpha: 0.3, stored: [f32, f32, bf16] },
    ],
  ],
  [
    'bias, activation, dropout and residual follow the product',
    EPILOGUES.flatMap((epilogue) => [
      { m: 29, n: 50, k: 24, ...epilogue },
      { m: 29, n: 67, k: 24, transposeB: true, bf16: true, stored: [bf16, f32, bf16] as const, ...epilogue },
      { m: 16, n: 389, k: 773, ...epilogue },
      { m: 5, n: 7, k: 0, ...epilogue },
    ]),
  ],
  [
    'row sums of a, as stored',
    [
      ...TRANSPOSES.map((transposes) => ({ m: 45, n: 20, k: 77, rowSums: true, ...transposes })),
      { m: 45, n: 20, k: 77, rowSums: true, bf16: true, transposeA: true },
      { m: 45, n: 20, k: 77, rowSums: true, bf16: true, stored: [bf16, bf16, f32] },
      { m: 45, n: 20, k: 0, rowSums: true },
    ],
  ],
  [
    'NaN and infinity reach what depends on them and nothing else',
    SPOILED.flatMap((value) =>
      [false, true].flatMap((rounded) =>
        TRANSPOSES.map((transposes) => ({
          m: 20,
          n: 37,
          k: 17,
          bf16: rounded,
          rowSums: true,
          ...transposes,
          spoil: (a: Float32Array, b: Float32Array): void => {
            a[23] = value;
            a[a.length - 1] = value;
            b[b.length - 1] = value;
          },
        })),
      ),
    ),
  ],
];
