/** tfjs kernels that put whole tensors into another order or into a larger one. */
import { tf } from '../../tfjs.js';
import type { NativeBackend } from '../native-backend.js';
import { withBuffersAs } from '../tensor-buffers.js';
import { storageFor } from '../native-backend.js';
import { alias, kernel, listKernel, output } from './kernel.js';
import { rearranged } from './rearrange.js';
import { offsetOf, stridesOf } from './strides.js';

/** Dimension d of the result is dimension permutation[d] of x. */
export function transposed(
  backend: NativeBackend,
  x: tf.TensorInfo,
  permutation: readonly number[],
): tf.TensorInfo {
  const shape = permutation.map((d) => x.shape[d]!);
  const strides = stridesOf(x.shape);
  return rearranged(backend, x, shape, { shape, stridesX: permutation.map((d) => strides[d]!) });
}

/** Concatenates tensors along an axis. */
function joined(backend: NativeBackend, tensors: readonly tf.TensorInfo[], axis: number): tf.TensorInfo {
  const shapes = tensors.map(({ shape }) => shape);
  tf.backend_util.assertParamsConsistent(shapes, axis);
  const [first] = tensors as [tf.TensorInfo];
  if (tensors.length === 1) return alias(backend, first, first.shape);
  const shape = tf.backend_util.computeOutShape(shapes, axis);
  const stridesY = stridesOf(shape);
  return withBuffersAs(backend, storageFor(first.dtype), tensors, (...buffers) =>
    output(backend, shape, first.dtype, (y) => {
      let offsetY = 0;
      for (const [i, part] of shapes.entries()) {
        const copy = { x: buffers[i]!, y, shape: part, stridesX: stridesOf(part), stridesY, offsetY };
        if (tf.util.sizeFromShape(part) > 0) backend.kernels.stridedCopy(copy);
        offsetY += part[axis]! * stridesY[axis]!;
      }
    }),
  );
}

/** x padded with `value`. */
function padded(
  backend: NativeBackend,
  x: tf.TensorInfo,
  { paddings, constantValue }: tf.PadV2Attrs,
): tf.TensorInfo {
  const shape = x.shape.map((size, d) => paddings[d]![0] + size + paddings[d]![1]);
  const stridesY = stridesOf(shape);
  const before = paddings.map(([first]) => first);
  return withBuffersAs(backend, storageFor(x.dtype), [x], (bufferX) =>
    output(backend, shape, x.dtype, (y, length) => {
      backend.kernels.fill({ y, value: constantValue, length });
      if (tf.util.sizeFromShape(x.shape) === 0) return;
      const from = { x: bufferX, shape: x.shape, stridesX: stridesOf(x.shape) };
      backend.kernels.stridedCopy({ ...from, y, stridesY, offsetY: offsetOf(before, stridesY) });
    }),
  );
}

/** The whole of x repeated reps[d] times along dimension d. */
function tiled(backend: NativeBackend, x: tf.TensorInfo, reps: readonly number[]): tf.TensorInfo {
  const strides = stridesOf(x.shape);
  const resultShape = x.shape.map((size, d) => size * reps[d]!);
  const shape = x.shape.flatMap((size, d) => [reps[d]!, size]);
  return rearranged(backend, x, resultShape, { shape, stridesX: strides.flatMap((stride) => [0, stride]) });
}

export const ARRANGE_KERNELS: readonly tf.KernelConfig[] = [
  kernel<'x', tf.TransposeAttrs>(tf.Transpose, (backend, { x }, { perm }) => transposed(backend, x, perm)),
  listKernel<tf.ConcatAttrs>(tf.Concat, (backend, tensors, { axis }) =>
    joined(backend, tensors, tf.util.parseAxisParam(axis, tensors[0]!.shape)[0]!),
  ),
  listKernel<tf.PackAttrs>(tf.Pack, (backend, tensors, { axis }) => {
    const at = axis < 0 ? axis + tensors[0]!.shape.length + 1 : axis;
    const slices = tensors.map((tensor) => {
      tf.util.assertShapesMatch(tensors[0]!.shape, tensor.shape, 'Error in stack: ');
      return { ...tensor, shape: tensor.shape.toSpliced(at, 0, 1) };
    });
    return joined(backend, slices, at);
  }),
  kernel<'x', tf.PadV2Attrs>(tf.PadV2, (backend, { x }, attributes) => padded(backend, x, attributes)),
  kernel<'x', tf.TileAttrs>(tf.Tile, (backend, { x }, { reps }) => tiled(backend, x, reps)),
];
