/** The kernels of plain tfjs models. Arrays are dense and row-major, f32 unless said otherwise. */
import type { DeviceBuffer } from './memory.js';

export type UnaryOp =
  | 'neg'
  | 'abs'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'rsqrt'
  | 'square'
  | 'reciprocal'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'relu'
  | 'step'
  | 'sign'
  | 'isNaN'
  | 'floor'
  | 'ceil'
  | 'round';

export type BinaryOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'maximum'
  | 'minimum'
  | 'pow'
  | 'squaredDifference'
  | 'equal'
  | 'notEqual'
  | 'less'
  | 'lessEqual'
  | 'greater'
  | 'greaterEqual'
  | 'and'
  | 'or'
  | 'floorDiv'
  | 'mod';

export type ReduceOp = 'sum' | 'mean' | 'max' | 'min' | 'prod' | 'all' | 'any' | 'argMax' | 'argMin';

export interface PlainKernels {
  /** The result has the type of the operand, f32 (or i32 for neg, abs, square, sign); isNaN gives u8. */
  unary(by: {
    readonly op: UnaryOp;
    readonly x: DeviceBuffer;
    readonly y: DeviceBuffer;
    readonly length: number;
  }): void;
  /**
   * y over `shape`; strides of a and b are in elements, 0 where a dimension is broadcast. f32 or i32 operands of one
   * storage; comparisons and logic (u8 operands for the latter) give u8.
   */
  binary(by: {
    readonly op: BinaryOp;
    readonly a: DeviceBuffer;
    readonly b: DeviceBuffer;
    readonly y: DeviceBuffer;
    readonly shape: readonly number[];
    readonly stridesA: readonly number[];
    readonly stridesB: readonly number[];
  }): void;
  /** [outer, length, inner] -> [outer, inner]; argMax and argMin to i32, all and any over u8. */
  reduce(by: {
    readonly op: ReduceOp;
    readonly x: DeviceBuffer;
    readonly y: DeviceBuffer;
    readonly outer: number;
    readonly length: number;
    readonly inner: number;
  }): void;
  /** Softmax of rows, or its logarithm. */
  softmax(by: {
    readonly x: DeviceBuffer;
    readonly y: DeviceBuffer;
    readonly rows: number;
    readonly width: number;
    readonly logarithm?: boolean;
  }): void;
  /**
   * Copies elements of any storage: y at offsetY + sum(index stridesY) = x at offsetX + sum(index stridesX) for every
   * index of `shape`. Transposes, slices, pads, tiles, concatenates, reverses.
   */
  stridedCopy(by: {
    readonly x: DeviceBuffer;
    readonly y: DeviceBuffer;
    readonly shape: readonly number[];
    readonly offsetX?: number;
    readonly offsetY?: number;
    readonly stridesX: readonly number[];
    readonly stridesY: readonly number[];
  }): void;
  /** [outer, axis, inner] and [n] indices (i32, checked) -> [outer, n, inner] */
  gather(by: {
    readonly x: DeviceBuffer;
    readonly indices: DeviceBuffer;
    readonly y: DeviceBuffer;
    readonly outer: number;
    readonly axis: number;
    readonly count: number;
    readonly inner: number;
  }): void;
  /** y = condition ? a : b, condition u8. */
  select(by: {
    readonly condition: DeviceBuffer;
    readonly a: DeviceBuffer;
    readonly b: DeviceBuffer;
    readonly y: DeviceBuffer;
    readonly length: number;
  }): void;
  fill(by: { readonly y: DeviceBuffer; readonly value: number; readonly length: number }): void;
  /** Converts between any two storages as tfjs casts: f32 to i32 truncates, and to u8 gives x != 0. */
  convert(by: { readonly x: DeviceBuffer; readonly y: DeviceBuffer; readonly length: number }): void;
}
