/** tfjs kernels that compute each element from the same element of one tensor. */
import { tf } from '../../tfjs.js';
import { STORAGE } from '../../../kernels/kernel-api/memory.js';
import type { UnaryOp } from '../../../kernels/kernel-api/plain.js';
import type { NativeBackend } from '../native-backend.js';
import { withBuffersAs } from '../tensor-buffers.js';
import { binary } from './binary.js';
import { alias, kernel, output, outputFrom, scalar, using } from './kernel.js';
import { selected } from './select.js';

/** Operations that have a kernel for integers. */
const WHOLE: ReadonlySet<UnaryOp> = new Set(['neg', 'abs', 'square', 'sign']);

/** Any shape, elementwise. The result is stored as `dtype`. */
export function unary(
  backend: NativeBackend,
  op: UnaryOp,
  x: tf.TensorInfo,
  dtype: tf.DataType = x.dtype,
): tf.TensorInfo {
  const operand = x.dtype === 'int32' && WHOLE.has(op) ? STORAGE.i32 : STORAGE.f32;
  const computed = op === 'isNaN' ? STORAGE.u8 : operand;
  return withBuffersAs(backend, operand, [x], (bufferX) =>
    outputFrom(backend, x.shape, dtype, computed, (y, length) => {
      backend.kernels.unary({ op, x: bufferX, y, length });
    }),
  );
}

/** min(max(x, low), high); NaN stays NaN. */
export function clipped(backend: NativeBackend, x: tf.TensorInfo, low: number, high: number): tf.TensorInfo {
  return using(backend, scalar(backend, low, x.dtype), (lowest) =>
    using(backend, binary(backend, 'maximum', x, lowest), (raised) =>
      using(backend, scalar(backend, high, x.dtype), (highest) =>
        binary(backend, 'minimum', raised, highest),
      ),
    ),
  );
}

/** The larger of 0 and x. */
export function relu(backend: NativeBackend, x: tf.TensorInfo): tf.TensorInfo {
  if (x.dtype === 'float32') return unary(backend, 'relu', x);
  return using(backend, scalar(backend, 0, x.dtype), (zero) => binary(backend, 'maximum', x, zero));
}

/** 1 above 0, `alpha` elsewhere, NaN for NaN. */
function step(backend: NativeBackend, x: tf.TensorInfo, alpha: number): tf.TensorInfo {
  const plain = unary(backend, 'step', x);
  if (alpha === 0) return plain;
  return using(backend, plain, () =>
    using(backend, scalar(backend, 0, x.dtype), (zero) =>
      using(backend, binary(backend, 'equal', plain, zero), (off) =>
        using(backend, filledLike(backend, x, alpha), (alphas) => selected(backend, off, alphas, plain)),
      ),
    ),
  );
}

function filledLike(backend: NativeBackend, { shape, dtype }: tf.TensorInfo, value: number): tf.TensorInfo {
  return output(backend, shape, dtype, (y, length) => {
    backend.kernels.fill({ y, value, length });
  });
}

/** A kernel whose result has the type of x, or the type given. */
function mapping(name: string, op: UnaryOp, dtype?: tf.DataType): tf.KernelConfig {
  return kernel<'x'>(name, (backend, { x }) => unary(backend, op, x, dtype));
}

export const UNARY_KERNELS: readonly tf.KernelConfig[] = [
  ...[mapping(tf.Neg, 'neg'), mapping(tf.Abs, 'abs'), mapping(tf.Square, 'square'), mapping(tf.Sign, 'sign')],
  ...[mapping(tf.Exp, 'exp', 'float32'), mapping(tf.Log, 'log'), mapping(tf.Sqrt, 'sqrt')],
  ...[mapping(tf.Rsqrt, 'rsqrt'), mapping(tf.Reciprocal, 'reciprocal'), mapping(tf.Tanh, 'tanh')],
  ...[mapping(tf.Sigmoid, 'sigmoid'), mapping(tf.Erf, 'erf'), mapping(tf.IsNan, 'isNaN', 'bool')],
  ...[mapping(tf.Floor, 'floor'), mapping(tf.Ceil, 'ceil'), mapping(tf.Round, 'round')],
  kernel<'x'>(tf.Relu, (backend, { x }) => relu(backend, x)),
  kernel<'x', tf.StepAttrs>(tf.Step, (backend, { x }, { alpha }) => step(backend, x, alpha)),
  kernel<'x', tf.ClipByValueAttrs>(tf.ClipByValue, (backend, { x }, { clipValueMin, clipValueMax }) =>
    clipped(backend, x, clipValueMin, clipValueMax),
  ),
  kernel<'x'>(tf.ZerosLike, (backend, { x }) => filledLike(backend, x, 0)),
  kernel<'x'>(tf.OnesLike, (backend, { x }) => filledLike(backend, x, 1)),
  kernel<'x'>(tf.LogicalNot, (backend, { x }) =>
    using(backend, scalar(backend, 0, x.dtype), (zero) => binary(backend, 'equal', x, zero)),
  ),
  kernel<never, tf.FillAttrs>(tf.Fill, (backend, _, { shape, value, dtype }) => {
    // A string tensor is refused because of its type.
    const type = typeof value === 'string' ? 'string' : dtype;
    return output(backend, shape, type, (y, length) => {
      backend.kernels.fill({ y, value: Number(value), length });
    });
  }),
  kernel<'x', tf.CastAttrs>(tf.Cast, (backend, { x }, { dtype }) => {
    if (dtype === x.dtype) return alias(backend, x, x.shape);
    return output(backend, x.shape, dtype, (y, length) => {
      backend.kernels.convert({ x: backend.record(x).buffer, y, length });
    });
  }),
];
