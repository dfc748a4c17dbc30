/** tfjs kernels that take the elements of two tensors in pairs. */
import { tf } from '../../tfjs.js';
import { STORAGE, type Storage } from '../../../kernels/kernel-api/memory.js';
import type { BinaryOp } from '../../../kernels/kernel-api/plain.js';
import { storageFor, type NativeBackend } from '../native-backend.js';
import { withBuffersAs } from '../tensor-buffers.js';
import { alias, kernel, listKernel, outputFrom } from './kernel.js';
import { stridesOf } from './strides.js';

const LOGICAL: ReadonlySet<BinaryOp> = new Set(['and', 'or']);
const COMPARING: ReadonlySet<BinaryOp> = new Set([
  ...(['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual'] as const),
]);

interface Walk {
  readonly shape: readonly number[];
  readonly stridesA: readonly number[];
  readonly stridesB: readonly number[];
}

/** Strides of an operand over the dimensions of the result; 0 for dimensions in which it is repeated. */
function broadcastStrides(operand: readonly number[], shape: readonly number[]): number[] {
  const strides = stridesOf(operand);
  const missing = shape.length - operand.length;
  return shape.map((_, d) => (d < missing || operand[d - missing] === 1 ? 0 : strides[d - missing]!));
}

/** The frequent cases as one dimension, which needs fewer arguments. */
function walkOf(a: tf.TensorInfo, b: tf.TensorInfo, shape: number[]): Walk {
  const [sizeA, sizeB, size] = [a.shape, b.shape, shape].map(tf.util.sizeFromShape) as [
    number,
    number,
    number,
  ];
  if ((sizeA === size || sizeA === 1) && (sizeB === size || sizeB === 1)) {
    return { shape: [size], stridesA: [sizeA === 1 ? 0 : 1], stridesB: [sizeB === 1 ? 0 : 1] };
  }
  return { shape, stridesA: broadcastStrides(a.shape, shape), stridesB: broadcastStrides(b.shape, shape) };
}

function operandStorage(op: BinaryOp, dtype: tf.DataType): Storage {
  if (LOGICAL.has(op)) return STORAGE.u8;
  if (op === 'div') return STORAGE.f32;
  // Booleans count as 0 and 1.
  return dtype === 'bool' ? STORAGE.i32 : storageFor(dtype);
}

/** Results have the type of a, or bool for comparisons and logic, unless said otherwise. */
export function binary(
  backend: NativeBackend,
  op: BinaryOp,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  dtype?: tf.DataType,
): tf.TensorInfo {
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const operands = operandStorage(op, a.dtype);
  const truth = LOGICAL.has(op) || COMPARING.has(op);
  const resultType = dtype ?? (truth ? 'bool' : a.dtype);
  return withBuffersAs(backend, operands, [a, b], (bufferA, bufferB) =>
    outputFrom(backend, shape, resultType, truth ? STORAGE.u8 : operands, (y) => {
      backend.kernels.binary({ op, a: bufferA, b: bufferB, y, ...walkOf(a, b, shape) });
    }),
  );
}

function pairing(name: string, op: BinaryOp, dtype?: tf.DataType): tf.KernelConfig {
  return kernel<'a' | 'b'>(name, (backend, { a, b }) => binary(backend, op, a, b, dtype));
}

export const BINARY_KERNELS: readonly tf.KernelConfig[] = [
  ...[
    pairing(tf.Add, 'add'),
    pairing(tf.Sub, 'sub'),
    pairing(tf.Multiply, 'mul'),
    pairing(tf.RealDiv, 'div'),
  ],
  ...[pairing(tf.FloorDiv, 'floorDiv', 'int32'), pairing(tf.Mod, 'mod'), pairing(tf.Pow, 'pow')],
  ...[pairing(tf.Maximum, 'maximum'), pairing(tf.Minimum, 'minimum')],
  pairing(tf.SquaredDifference, 'squaredDifference'),
  ...[pairing(tf.Equal, 'equal'), pairing(tf.NotEqual, 'notEqual'), pairing(tf.Less, 'less')],
  ...[
    pairing(tf.LessEqual, 'lessEqual'),
    pairing(tf.Greater, 'greater'),
    pairing(tf.GreaterEqual, 'greaterEqual'),
  ],
  ...[pairing(tf.LogicalAnd, 'and'), pairing(tf.LogicalOr, 'or')],
  listKernel(tf.AddN, (backend, tensors) => {
    let sum = alias(backend, tensors[0]!, tensors[0]!.shape);
    for (const tensor of tensors.slice(1)) {
      const earlier = sum;
      sum = binary(backend, 'add', earlier, tensor);
      backend.disposeData(earlier.dataId);
    }
    return sum;
  }),
];
