/** tfjs kernels that reduce a tensor over some of its axes. */
import { tf } from '../../tfjs.js';
import { STORAGE, type Storage } from '../../../kernels/kernel-api/memory.js';
import type { ReduceOp } from '../../../kernels/kernel-api/plain.js';
import { storageFor, type NativeBackend } from '../native-backend.js';
import { withBuffersAs } from '../tensor-buffers.js';
import { transposed } from './arrange.js';
import { kernel, output, outputFrom, using } from './kernel.js';

interface KeepDims {
  readonly keepDims: boolean;
}

function operandStorage(op: ReduceOp, dtype: tf.DataType): Storage {
  if (op === 'all' || op === 'any') return STORAGE.u8;
  if (op === 'mean') return STORAGE.f32;
  // Booleans count as 0 and 1.
  return dtype === 'bool' ? STORAGE.i32 : storageFor(dtype);
}

/** Reduces over adjacent axes, given in ascending order. */
function reducedInPlace(
  backend: NativeBackend,
  op: ReduceOp,
  x: tf.TensorInfo,
  axes: readonly number[],
  dtype: tf.DataType,
): tf.TensorInfo {
  const first = axes[0] ?? x.shape.length;
  const end = first + axes.length;
  const kept = [...x.shape.slice(0, first), ...x.shape.slice(end)];
  const [outer, length, inner] = [
    ...[x.shape.slice(0, first), x.shape.slice(first, end), x.shape.slice(end)].map(tf.util.sizeFromShape),
  ] as [number, number, number];
  const operand = operandStorage(op, x.dtype);
  const computed = op === 'argMax' || op === 'argMin' ? STORAGE.i32 : operand;
  return withBuffersAs(backend, operand, [x], (bufferX) =>
    outputFrom(backend, kept, dtype, computed, (y) => {
      backend.kernels.reduce({ op, x: bufferX, y, outer, length, inner });
    }),
  );
}

function reduced(
  backend: NativeBackend,
  op: ReduceOp,
  x: tf.TensorInfo,
  axis: number | number[],
  keepDims: boolean,
  dtype: tf.DataType = x.dtype,
): tf.TensorInfo {
  const axes = tf.util.parseAxisParam(axis, x.shape).toSorted((a, b) => a - b);
  const rank = x.shape.length;
  const contiguous = axes.every((at, i) => at === axes[0]! + i);
  const permutation = contiguous ? null : tf.backend_util.getAxesPermutation(axes, rank);
  const result =
    permutation === null
      ? reducedInPlace(backend, op, x, axes, dtype)
      : using(backend, transposed(backend, x, permutation), (innermost) => {
          const last = tf.backend_util.getInnerMostAxes(axes.length, rank);
          return reducedInPlace(backend, op, innermost, last, dtype);
        });
  if (!keepDims) return result;
  return { ...result, shape: tf.backend_util.expandShapeToKeepDim(result.shape, axes) };
}

/** Softmax over the last axis, or its logarithm. */
function softmax(
  backend: NativeBackend,
  logits: tf.TensorInfo,
  axis: number,
  logarithm: boolean,
): tf.TensorInfo {
  const { shape } = logits;
  const last = shape.length - 1;
  if (tf.util.parseAxisParam(axis, shape)[0] !== last) throw new Error('softmax: only over the last axis');
  const width = shape[last] ?? 1;
  const rows = width === 0 ? 0 : tf.util.sizeFromShape(shape) / width;
  return withBuffersAs(backend, STORAGE.f32, [logits], (x) =>
    output(backend, shape, 'float32', (y) => {
      backend.kernels.softmax({ x: x, y, rows, width, logarithm });
    }),
  );
}

export const REDUCE_KERNELS: readonly tf.KernelConfig[] = [
  kernel<'x', tf.SumAttrs>(tf.Sum, (backend, { x }, { axis, keepDims }) =>
    reduced(backend, 'sum', x, axis, keepDims, x.dtype === 'bool' ? 'int32' : x.dtype),
  ),
  kernel<'x', tf.MeanAttrs>(tf.Mean, (backend, { x }, { axis, keepDims }) =>
    reduced(backend, 'mean', x, axis, keepDims, 'float32'),
  ),
  kernel<'x', tf.ProdAttrs>(tf.Prod, (backend, { x }, { axis, keepDims }) =>
    reduced(backend, 'prod', x, axis, keepDims, tf.upcastType(x.dtype, 'int32')),
  ),
  kernel<'x', tf.MaxAttrs>(tf.Max, (backend, { x }, { reductionIndices, keepDims }) =>
    reduced(backend, 'max', x, reductionIndices, keepDims),
  ),
  ...(
    [
      ['min', tf.Min],
      ['all', tf.All],
      ['any', tf.Any],
    ] as const
  ).map(([op, name]) =>
    kernel<'x', KeepDims & { readonly axis: number | number[] }>(name, (backend, { x }, { axis, keepDims }) =>
      reduced(backend, op, x, axis, keepDims),
    ),
  ),
  ...(
    [
      ['argMax', tf.ArgMax],
      ['argMin', tf.ArgMin],
    ] as const
  ).map(([op, name]) =>
    kernel<'x', { readonly axis: number }>(name, (backend, { x }, { axis }) =>
      reduced(backend, op, x, axis, false, 'int32'),
    ),
  ),
  kernel<'logits', tf.SoftmaxAttrs>(tf.Softmax, (backend, { logits }, { dim }) =>
    softmax(backend, logits, dim, false),
  ),
  kernel<'logits', tf.LogSoftmaxAttrs>(tf.LogSoftmax, (backend, { logits }, { axis }) =>
    softmax(backend, logits, axis, true),
  ),
];
