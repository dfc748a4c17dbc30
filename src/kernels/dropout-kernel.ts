/** Dropout multipliers by WebAssembly SIMD: Philox 4x32-10 on four counters at once, in a small scratch memory. */
import { assemble, op } from '../numbers/wasm-module.js';

/** Scratch: constants (each repeated in four lanes), then a piece of the mask. */
const COUNTER = 0;
const PATH = [16, 32, 48] as const;
const MULTIPLIERS = [64, 80] as const;
const DROP_BELOW = 96;
const KEPT = 112;
const FOUR = 128;
const KEYS = 144;
const MASK = 1024;
const PIECE = 8192;

const ROUNDS = 10;
/** Four blocks of Philox are 32 elements of 16 bits. */
const ELEMENTS_PER_TURN = 32;

// Locals of the kernel.
const BYTES = 0;
const AT = 1;
const C = [2, 3, 4, 5] as const;
const LOW = 6;
const HIGH = 7;
const PRODUCT = [8, 9] as const;
const ROWS = [10, 11, 12, 13] as const;

const constant = (offset: number): number[] => [...op.i32Const(0), ...op.v128Load(offset)];
const get = (...locals: readonly number[]): number[] => locals.flatMap((local) => op.localGet(local));

/**
 * 64-bit products of a counter word and its multiplier. The low words go to `low`, the high words stay on the
 * stack.
 */
function multiply(word: number, multiplier: number, low: number): number[] {
  return [
    ...[...get(word), ...constant(multiplier), ...op.i64x2ExtmulLowI32x4U, ...op.localSet(LOW)],
    ...[...get(word), ...constant(multiplier), ...op.i64x2ExtmulHighI32x4U, ...op.localSet(HIGH)],
    ...[...get(LOW, HIGH), ...op.i32x4Shuffle([0, 2, 4, 6]), ...op.localSet(low)],
    ...[...get(LOW, HIGH), ...op.i32x4Shuffle([1, 3, 5, 7])],
  ];
}

function philoxRound(round: number): number[] {
  const key = (word: number): number[] => constant(KEYS + (2 * round + word) * 16);
  return [
    ...[...multiply(C[2], MULTIPLIERS[1], PRODUCT[1]), ...get(C[1]), ...op.v128Xor, ...key(0), ...op.v128Xor],
    ...[...multiply(C[0], MULTIPLIERS[0], PRODUCT[0]), ...get(C[3]), ...op.v128Xor, ...key(1), ...op.v128Xor],
    ...[...op.localSet(C[2]), ...op.localSet(C[0])],
    ...[...get(PRODUCT[1]), ...op.localSet(C[1]), ...get(PRODUCT[0]), ...op.localSet(C[3])],
  ];
}

/** Transposes: C[j] has word j of four blocks, ROWS[j] gets the four words of block j. */
function transpose(): number[] {
  const pairs = (a: number, b: number, lanes: readonly [number, number, number, number], out: number) => [
    ...[...get(a, b), ...op.i32x4Shuffle(lanes), ...op.localSet(out)],
  ];
  return [
    ...[...pairs(C[0], C[1], [0, 4, 1, 5], LOW), ...pairs(C[2], C[3], [0, 4, 1, 5], HIGH)],
    ...[...pairs(C[0], C[1], [2, 6, 3, 7], PRODUCT[0]), ...pairs(C[2], C[3], [2, 6, 3, 7], PRODUCT[1])],
    ...[...pairs(LOW, HIGH, [0, 1, 4, 5], ROWS[0]), ...pairs(LOW, HIGH, [2, 3, 6, 7], ROWS[1])],
    ...pairs(PRODUCT[0], PRODUCT[1], [0, 1, 4, 5], ROWS[2]),
    ...pairs(PRODUCT[0], PRODUCT[1], [2, 3, 6, 7], ROWS[3]),
  ];
}

/** Turns the eight 16-bit halves of a row into eight multipliers. */
function threshold(row: number, at: number): number[] {
  const four = (extend: readonly number[], offset: number): number[] => [
    ...[...get(AT), ...get(row), ...extend, ...constant(DROP_BELOW), ...op.i32x4GeS],
    ...[...constant(KEPT), ...op.v128And, ...op.v128Store(offset)],
  ];
  return [...four(op.i32x4ExtendLowI16x8U, at), ...four(op.i32x4ExtendHighI16x8U, at + 16)];
}

const BODY = [
  ...op.loop,
  ...[...constant(COUNTER), ...op.localTee(C[0]), ...constant(FOUR), ...op.i32x4Add, ...op.localSet(LOW)],
  ...[...op.i32Const(0), ...get(LOW), ...op.v128Store(COUNTER)],
  ...PATH.flatMap((offset, i) => [...constant(offset), ...op.localSet(C[i + 1]!)]),
  ...Array.from({ length: ROUNDS }, (_, round) => philoxRound(round)).flat(),
  ...transpose(),
  ...ROWS.flatMap((row, i) => threshold(row, MASK + 32 * i)),
  ...[...op.localGet(AT), ...op.i32Const(4 * ELEMENTS_PER_TURN), ...op.i32Add, ...op.localTee(AT)],
  ...[...op.localGet(BYTES), ...op.i32LtU, ...op.brIf(0)],
  ...op.end,
];

const MODULE = assemble(1, [{ name: 'mask', vectors: 12, body: BODY }]);

/**
 * Fills `mask`: element i is 0 if its 16 bits of the Philox stream (key, (0.., ...path)) are below `dropBelow`,
 * else `kept`.
 */
export type DropoutKernel = (
  key: readonly [number, number],
  path: readonly [number, number, number],
  dropBelow: number,
  kept: number,
  mask: Float32Array,
) => void;

/** Undefined if the processor or the JavaScript engine has no WebAssembly SIMD. */
export function simdDropoutKernel(): DropoutKernel | undefined {
  if (!WebAssembly.validate(MODULE)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE));
  const { buffer } = exports['memory'] as WebAssembly.Memory;
  const kernel = exports['mask'] as (bytes: number) => void;
  const words = new Uint32Array(buffer);
  const floats = new Float32Array(buffer);
  const splat = (offset: number, value: number): void => void words.fill(value, offset / 4, offset / 4 + 4);

  return (key, path, dropBelow, kept, mask) => {
    path.forEach((word, i) => {
      splat(PATH[i]!, word);
    });
    splat(MULTIPLIERS[0], 0xd2511f53);
    splat(MULTIPLIERS[1], 0xcd9e8d57);
    splat(DROP_BELOW, dropBelow);
    splat(FOUR, 4);
    for (let round = 0; round < ROUNDS; round++) {
      splat(KEYS + 32 * round, key[0] + round * 0x9e3779b9);
      splat(KEYS + 32 * round + 16, key[1] + round * 0xbb67ae85);
    }
    floats.fill(kept, KEPT / 4, KEPT / 4 + 4);
    words.set([0, 1, 2, 3], COUNTER / 4);
    for (let start = 0; start < mask.length; start += PIECE) {
      const length = Math.min(PIECE, mask.length - start);
      kernel(4 * length);
      mask.set(floats.subarray(MASK / 4, MASK / 4 + length), start);
    }
  };
}
