/** tfjs kernels that multiply matrices. */
import { tf } from '../../tfjs.js';
import { STORAGE } from '../../../kernels/kernel-api/memory.js';
import type { NativeBackend } from '../native-backend.js';
import { withBuffersAs } from '../tensor-buffers.js';
import { binary } from './binary.js';
import { alias, kernel, outputFrom, using } from './kernel.js';
import { repeated } from './rearrange.js';
import { clipped, relu, unary } from './unary.js';

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Dimensions before the last two. */
  readonly batchA: number[];
  readonly batchB: number[];
}

function sizesOf(a: tf.TensorInfo, b: tf.TensorInfo, transposeA: boolean, transposeB: boolean): Sizes {
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [kOfB, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  if (k !== kOfB) {
    const shapes = `[${a.shape.join(', ')}] and [${b.shape.join(', ')}]`;
    throw new Error(`matMul: inner sizes ${k} and ${kOfB} of ${shapes} must match`);
  }
  return { m, n, k, batchA: a.shape.slice(0, -2), batchB: b.shape.slice(0, -2) };
}

/**
 * The matrices of x repeated for every index of `batch`. Nothing is copied if x has as many matrices, or only
 * one.
 */
function spread<R>(
  backend: NativeBackend,
  x: tf.TensorInfo,
  batch: number[],
  body: (x: tf.TensorInfo, single: boolean) => R,
): R {
  const own = x.shape.slice(0, -2);
  const matrices = tf.util.sizeFromShape(own);
  if (matrices === tf.util.sizeFromShape(batch)) return body(x, false);
  if (matrices === 1) return body(x, true);
  const padded = { ...x, shape: [...new Array<number>(batch.length - own.length).fill(1), ...x.shape] };
  const full = repeated(backend, padded, [...batch, ...x.shape.slice(-2)]);
  return using(backend, full, () => body(full, false));
}

function product(
  backend: NativeBackend,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  { transposeA, transposeB }: tf.BatchMatMulAttrs,
  bias?: tf.TensorInfo,
): tf.TensorInfo {
  const { m, n, k, batchA, batchB } = sizesOf(a, b, transposeA, transposeB);
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
  const batch = tf.util.sizeFromShape(outer);
  const dtype = tf.upcastType(a.dtype, b.dtype);
  return spread(backend, a, outer, (left, oneA) =>
    spread(backend, b, outer, (right, oneB) =>
      withBuffersAs(
        backend,
        STORAGE.f32,
        [left, right, ...(bias ? [bias] : [])],
        (bufferA, bufferB, bufferBias) =>
          outputFrom(backend, [...outer, m, n], dtype, STORAGE.f32, (c, length) => {
            if (length === 0) return;
            const strides = { strideA: oneA ? 0 : m * k, strideB: oneB ? 0 : k * n };
            const operands = { a: bufferA, b: bufferB, c, bias: bufferBias };
            backend.kernels.gemm({ ...operands, m, n, k, transposeA, transposeB, batch, ...strides });
          }),
      ),
    ),
  );
}

/** Activations that can be fused into a product; `linear` is none. */
function activated(backend: NativeBackend, x: tf.TensorInfo, activation: string | undefined): tf.TensorInfo {
  switch (activation ?? 'linear') {
    case 'linear':
      return alias(backend, x, x.shape);
    case 'relu':
      return relu(backend, x);
    case 'relu6':
      return clipped(backend, x, 0, 6);
    case 'sigmoid':
      return unary(backend, 'sigmoid', x);
    default:
      throw new Error(
        `matMul: the activation ${String(activation)} is not fused on native; apply it afterwards`,
      );
  }
}

/** A bias that is added to every row. */
function isRow({ shape, dtype }: tf.TensorInfo, columns: number): boolean {
  return dtype === 'float32' && shape.at(-1) === columns && tf.util.sizeFromShape(shape) === columns;
}

interface FusedInputs {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
  readonly bias?: tf.TensorInfo | null;
}

function fused(
  backend: NativeBackend,
  { a, b, bias }: FusedInputs,
  attributes: tf._FusedMatMulAttrs,
): tf.TensorInfo {
  const columns = attributes.transposeB ? b.shape.at(-2)! : b.shape.at(-1)!;
  const row = bias && isRow(bias, columns) ? bias : undefined;
  return using(backend, product(backend, a, b, attributes, row), (plain) => {
    if (!bias || row) return activated(backend, plain, attributes.activation);
    return using(backend, binary(backend, 'add', plain, bias), (sum) =>
      activated(backend, sum, attributes.activation),
    );
  });
}

export const MAT_MUL_KERNELS: readonly tf.KernelConfig[] = [
  kernel<'a' | 'b', tf.BatchMatMulAttrs>(tf.BatchMatMul, (backend, { a, b }, attributes) =>
    product(backend, a, b, attributes),
  ),
  kernel<'a' | 'b' | 'bias', tf._FusedMatMulAttrs>(tf._FusedMatMul, fused),
];
