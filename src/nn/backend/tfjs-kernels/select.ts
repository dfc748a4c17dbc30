/** tfjs kernels that choose elements by a condition or by indices. */
import { tf } from '../../tfjs.js';
import { STORAGE } from '../../../kernels/kernel-api/memory.js';
import { storageFor, type NativeBackend } from '../native-backend.js';
import { withBuffersAs } from '../tensor-buffers.js';
import { binary } from './binary.js';
import { kernel, output, using } from './kernel.js';
import { repeated } from './rearrange.js';

/** condition ? a : b, for a and b of the same type. A condition with fewer dimensions chooses rows. */
export function selected(
  backend: NativeBackend,
  condition: tf.TensorInfo,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
): tf.TensorInfo {
  const missing = a.shape.length - condition.shape.length;
  if (missing > 0) {
    const rows = { ...condition, shape: [...condition.shape, ...new Array<number>(missing).fill(1)] };
    return using(backend, repeated(backend, rows, a.shape), (full) => selected(backend, full, a, b));
  }
  tf.util.assertShapesMatch(condition.shape, a.shape, 'Error in select: ');
  const dtype = tf.upcastType(a.dtype, b.dtype);
  return withBuffersAs(backend, storageFor(dtype), [a, b], (bufferA, bufferB) =>
    withBuffersAs(backend, STORAGE.u8, [condition], (bufferC) =>
      output(backend, a.shape, dtype, (y, length) => {
        backend.kernels.select({ condition: bufferC, a: bufferA, b: bufferB, y, length });
      }),
    ),
  );
}

function filled(backend: NativeBackend, shape: number[], dtype: tf.DataType, value: number): tf.TensorInfo {
  return output(backend, shape, dtype, (y, length) => {
    backend.kernels.fill({ y, value, length });
  });
}

/** [...] -> [..., depth]. An index outside [0, depth) gives a row without `on`. */
function oneHot(
  backend: NativeBackend,
  indices: tf.TensorInfo,
  { depth, onValue, offValue, dtype }: tf.OneHotAttrs,
): tf.TensorInfo {
  const shape = [...indices.shape, depth];
  const classes = backend.write(
    Int32Array.from({ length: depth }, (_, k) => k),
    [depth],
    'int32',
  );
  const column = { ...indices, shape: [...indices.shape, 1] };
  return using(backend, { dataId: classes, shape: [depth], dtype: 'int32' }, (row) =>
    using(backend, binary(backend, 'equal', column, row), (hit) =>
      using(backend, filled(backend, shape, dtype, onValue), (on) =>
        using(backend, filled(backend, shape, dtype, offValue), (off) => selected(backend, hit, on, off)),
      ),
    ),
  );
}

/**
 * For each row of y, [B outer n], its position in x, seen as [B outer axis] rows. Refuses an index out of
 * range.
 */
function batchedPositions(
  indices: ArrayLike<number>,
  { batchSize, outerSize, dimSize }: tf.backend_util.segment_util.GatherOpShapeInfo,
): Int32Array {
  const count = indices.length / batchSize;
  return Int32Array.from({ length: batchSize * outerSize * count }, (_, i) => {
    const [batch, outer, at] = [Math.floor(i / (outerSize * count)), Math.floor(i / count), i % count];
    const index = indices[batch * count + at]!;
    if (index < 0 || index >= dimSize) {
      throw new RangeError(`gather: the index ${index} is not in [0, ${dimSize})`);
    }
    return outer * dimSize + index;
  });
}

function gather(
  backend: NativeBackend,
  x: tf.TensorInfo,
  indices: tf.TensorInfo,
  { axis, batchDims }: tf.GatherV2Attrs,
): tf.TensorInfo {
  const at = tf.util.parseAxisParam(axis, x.shape)[0]!;
  const info = tf.backend_util.segment_util.collectGatherOpShapeInfo(x, indices, at, batchDims);
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
  const { buffer, storage } = backend.record(x);
  const collect = (rows: tf.TensorInfo, outer: number, axisSize: number): tf.TensorInfo =>
    withBuffersAs(backend, STORAGE.i32, [rows], (positions) =>
      output(
        backend,
        outputShape,
        x.dtype,
        (y) => {
          const count = tf.util.sizeFromShape(rows.shape);
          const sizes = { outer, axis: axisSize, count, inner: sliceSize };
          backend.kernels.gather({ x: buffer, indices: positions, y, ...sizes });
        },
        storage,
      ),
    );
  if (batchDims === 0) return collect(indices, outerSize, dimSize);
  const positions = batchedPositions(backend.readSync(indices.dataId), info);
  const shape = [positions.length];
  const dataId = backend.write(positions, shape, 'int32');
  return using(backend, { dataId, shape, dtype: 'int32' }, (rows) =>
    collect(rows, 1, batchSize * outerSize * dimSize),
  );
}

export const SELECT_KERNELS: readonly tf.KernelConfig[] = [
  kernel<'condition' | 't' | 'e'>(tf.Select, (backend, { condition, t, e }) =>
    selected(backend, condition, t, e),
  ),
  kernel<'indices', tf.OneHotAttrs>(tf.OneHot, (backend, { indices }, attributes) =>
    oneHot(backend, indices, attributes),
  ),
  kernel<'x' | 'indices', tf.GatherV2Attrs>(tf.GatherV2, (backend, { x, indices }, attributes) =>
    gather(backend, x, indices, attributes),
  ),
];
