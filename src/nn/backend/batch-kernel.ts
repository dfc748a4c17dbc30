/** Gemms of many small matrices by WebAssembly SIMD, with code that is generated for each shape. */
import { assemble, op } from '../../numbers/wasm-module.js';

/** [m, k] x [k, n] */
export interface ProductShape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** Sets c to the products of the matrices in a and b, which hold them one after the other. */
export type BatchKernel = (a: Float32Array, b: Float32Array, c: Float32Array) => void;

/** A tile of the result lives in eight vectors. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 8;
const VECTORS = 2;
/** The matrices of one call fit into the second-level cache. */
const SCRATCH_BYTES = 262_144;

// Locals of the kernel.
const COUNT = 0;
const [A, B, C, ROW, COLUMN, AT_A, AT_B, DEPTH, LAST, MATRIX] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const INTEGERS = 10;
const RIGHT = [11, 12] as const;
const SPLAT = 13;
const tile = (row: number, vector: number): number => 14 + row * VECTORS + vector;

const get = (...locals: readonly number[]): number[] => locals.flatMap((local) => op.localGet(local));
const add = (local: number, value: number): number[] => [
  ...[...op.localGet(local), ...op.i32Const(value), ...op.i32Add, ...op.localSet(local)],
];
const TILE = Array.from({ length: TILE_ROWS * VECTORS }, (_, i) =>
  tile(Math.floor(i / VECTORS), i % VECTORS),
);

/**
 * Runs `body` for index = 0, step, 2 step, ..., and the last time for length - step. The last tile overlaps the one before
 * it rather than reach beyond the end; the overlap is computed twice with the same bits.
 */
function tiled(index: number, length: number, step: number, body: readonly number[]): number[] {
  const end = length - step;
  return [
    ...[...op.i32Const(0), ...op.localSet(index), ...op.loop, ...body],
    ...[...get(index), ...op.localTee(LAST), ...op.i32Const(step), ...op.i32Add, ...op.localTee(index)],
    ...[...op.i32Const(end), ...get(index), ...op.i32Const(end), ...op.i32LtU, ...op.select],
    ...[...op.localSet(index), ...get(LAST), ...op.i32Const(end), ...op.i32LtU, ...op.brIf(0), ...op.end],
  ];
}

/** One column of A's tile times one row of B's. */
function outerProduct({ k, n }: ProductShape): number[] {
  const multiplyAdd = (row: number, vector: number): number[] => [
    ...[...get(tile(row, vector), SPLAT, RIGHT[vector]!), ...op.f32x4Mul, ...op.f32x4Add],
    ...op.localSet(tile(row, vector)),
  ];
  return [
    ...RIGHT.flatMap((local, i) => [...get(AT_B), ...op.v128Load(16 * i), ...op.localSet(local)]),
    ...Array.from({ length: TILE_ROWS }, (_, row) => [
      ...[...get(AT_A), ...op.v128Load32Splat(4 * k * row), ...op.localSet(SPLAT)],
      ...[...multiplyAdd(row, 0), ...multiplyAdd(row, 1)],
    ]).flat(),
    ...[...add(AT_A, 4), ...add(AT_B, 4 * n)],
  ];
}

/** base + 4 (ROW stride + COLUMN) */
function address(base: number, stride: number): number[] {
  return [
    ...[...get(ROW), ...op.i32Const(stride), ...op.i32Mul, ...get(COLUMN), ...op.i32Add],
    ...[...op.i32Const(4), ...op.i32Mul, ...get(base), ...op.i32Add],
  ];
}

function product(shape: ProductShape): number[] {
  const { m, k, n } = shape;
  const oneTile = [
    ...TILE.flatMap((local) => [...op.v128Zero, ...op.localSet(local)]),
    ...[...get(ROW), ...op.i32Const(4 * k), ...op.i32Mul, ...get(A), ...op.i32Add, ...op.localSet(AT_A)],
    ...[...get(COLUMN), ...op.i32Const(4), ...op.i32Mul, ...get(B), ...op.i32Add, ...op.localSet(AT_B)],
    ...[...op.i32Const(0), ...op.localSet(DEPTH), ...op.loop, ...outerProduct(shape), ...add(DEPTH, 1)],
    ...[...get(DEPTH), ...op.i32Const(k), ...op.i32LtU, ...op.brIf(0), ...op.end],
    ...[...address(C, n), ...op.localSet(AT_A)],
    ...TILE.flatMap((local, i) => [
      ...[...get(AT_A, local), ...op.v128Store(4 * n * Math.floor(i / VECTORS) + 16 * (i % VECTORS))],
    ]),
  ];
  return tiled(ROW, m, TILE_ROWS, tiled(COLUMN, n, TILE_COLUMNS, oneTile));
}

/**
 * Undefined for shapes smaller than a tile, and if the processor or the JavaScript engine has no WebAssembly
 * SIMD.
 */
export function batchKernel(shape: ProductShape): BatchKernel | undefined {
  const { m, k, n } = shape;
  if (m < TILE_ROWS || n < TILE_COLUMNS || k < 1) return undefined;
  const [sizeA, sizeB, sizeC] = [m * k, k * n, m * n];
  const atOnce = Math.max(1, Math.floor(SCRATCH_BYTES / (4 * (sizeA + sizeB + sizeC))));
  const startB = atOnce * sizeA;
  const startC = startB + atOnce * sizeB;
  const pages = Math.ceil((4 * (startC + atOnce * sizeC)) / 65_536);
  const body = [
    ...[...op.i32Const(4 * startB), ...op.localSet(B), ...op.i32Const(4 * startC), ...op.localSet(C)],
    ...[...op.loop, ...product(shape), ...add(A, 4 * sizeA), ...add(B, 4 * sizeB), ...add(C, 4 * sizeC)],
    ...[...add(MATRIX, 1), ...get(MATRIX, COUNT), ...op.i32LtU, ...op.brIf(0), ...op.end],
  ];
  const vectors = 3 + TILE.length;
  const module = assemble(pages, [{ name: 'multiply', integers: INTEGERS, vectors, body }]);
  if (!WebAssembly.validate(module)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
  const scratch = new Float32Array((exports['memory'] as WebAssembly.Memory).buffer);
  const multiply = exports['multiply'] as (count: number) => void;

  return (a, b, c) => {
    const matrices = c.length / sizeC;
    for (let first = 0; first < matrices; first += atOnce) {
      const end = Math.min(first + atOnce, matrices);
      scratch.set(a.subarray(first * sizeA, end * sizeA), 0);
      scratch.set(b.subarray(first * sizeB, end * sizeB), startB);
      multiply(end - first);
      c.set(scratch.subarray(startC, startC + (end - first) * sizeC), first * sizeC);
    }
  };
}
