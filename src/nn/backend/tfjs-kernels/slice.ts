/** tfjs kernels that copy parts of a tensor. */
import { tf } from '../../tfjs.js';
import type { NativeBackend } from '../native-backend.js';
import { alias, kernel } from './kernel.js';
import { rearranged } from './rearrange.js';
import { offsetOf, stridesOf } from './strides.js';

/** The box of `shape` whose first corner is at `begin`. */
function part(
  backend: NativeBackend,
  x: tf.TensorInfo,
  begin: readonly number[],
  shape: number[],
): tf.TensorInfo {
  if (tf.util.arraysEqual(shape, x.shape)) return alias(backend, x, shape);
  const stridesX = stridesOf(x.shape);
  return rearranged(backend, x, shape, { shape, stridesX, offsetX: offsetOf(begin, stridesX) });
}

/** Splits a tensor along an axis into parts of the given sizes. */
function split(
  backend: NativeBackend,
  x: tf.TensorInfo,
  sizes: readonly number[],
  axis: number,
): tf.TensorInfo[] {
  let start = 0;
  return sizes.map((size) => {
    const begin = x.shape.map((_, d) => (d === axis ? start : 0));
    start += size;
    return part(backend, x, begin, x.shape.with(axis, size));
  });
}

/** Every stride-th index from begin on, along each axis; strides may be negative. */
function stridedSlice(
  backend: NativeBackend,
  x: tf.TensorInfo,
  attributes: tf.StridedSliceAttrs,
): tf.TensorInfo {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
  const masks = [beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask] as const;
  const info = tf.slice_util.sliceInfo(x.shape, begin, end, strides, ...masks);
  if (info.isIdentity) return alias(backend, x, info.finalShape);
  // A slice that ends before it begins would have a negative size.
  const sizes = tf.slice_util.computeOutShape(info.begin, info.end, info.strides);
  const shape = sizes.map((size) => Math.max(0, size));
  const stridesOfX = stridesOf(x.shape);
  // Without elements the position of `begin` does not matter, and it may lie outside.
  const offsetX = tf.util.sizeFromShape(shape) === 0 ? 0 : offsetOf(info.begin, stridesOfX);
  const stridesX = stridesOfX.map((stride, d) => stride * info.strides[d]!);
  return rearranged(backend, x, info.finalShape, { shape, stridesX, offsetX });
}

/** The elements in the opposite order along some axes. */
function reversed(backend: NativeBackend, x: tf.TensorInfo, axes: readonly number[]): tf.TensorInfo {
  const { shape } = x;
  const strides = stridesOf(shape);
  const empty = tf.util.sizeFromShape(shape) === 0;
  const last = shape.map((size, d) => (axes.includes(d) && !empty ? size - 1 : 0));
  const stridesX = strides.map((stride, d) => (axes.includes(d) ? -stride : stride));
  return rearranged(backend, x, shape, { shape, stridesX, offsetX: offsetOf(last, strides) });
}

export const SLICE_KERNELS: readonly tf.KernelConfig[] = [
  kernel<'x', tf.SliceAttrs>(tf.Slice, (backend, { x }, { begin, size }) => {
    const [first, shape] = tf.slice_util.parseSliceParams(x, begin, size) as [number[], number[]];
    tf.slice_util.assertParamsValid(x, first, shape);
    return part(backend, x, first, shape);
  }),
  kernel<'x', tf.StridedSliceAttrs>(tf.StridedSlice, (backend, { x }, attributes) =>
    stridedSlice(backend, x, attributes),
  ),
  kernel<'x', tf.SplitVAttrs>(tf.SplitV, (backend, { x }, { numOrSizeSplits, axis }) => {
    const at = tf.util.parseAxisParam(axis, x.shape)[0]!;
    // The type is a tensor, but only its shape is read.
    const sizes = tf.backend_util.prepareSplitSize(x, numOrSizeSplits, at);
    return split(backend, x, sizes, at);
  }),
  kernel<'value', tf.UnpackAttrs>(tf.Unpack, (backend, { value }, { axis }) => {
    const at = tf.util.parseAxisParam(axis, value.shape)[0]!;
    const shape = value.shape.toSpliced(at, 1);
    const parts = split(backend, value, new Array<number>(value.shape[at]!).fill(1), at);
    return parts.map((slice) => ({ ...slice, shape }));
  }),
  kernel<'x', tf.ReverseAttrs>(tf.Reverse, (backend, { x }, { dims }) =>
    reversed(backend, x, tf.util.parseAxisParam(dims, x.shape)),
  ),
];
