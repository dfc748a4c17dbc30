/** Converts between tensors of the native backend and buffers, for ops that call kernels themselves. */
import { tf } from '../tfjs.js';
import { coded } from '../../errors/errors.js';
import type { GradientTensor } from '../../kernels/gradient-tensor.js';
import { isGpu, type DeviceKernels, type Kernels } from '../../kernels/kernel-api.js';
import { STORAGE, type DeviceBuffer, type Storage } from '../../kernels/kernel-api/memory.js';
import { BACKEND_NAME, NativeBackend, storageFor } from './native-backend.js';

/** The native backend of this thread, which may not be the active one. */
function nativeBackend(): NativeBackend {
  const backend = tf.findBackend(BACKEND_NAME);
  if (!(backend instanceof NativeBackend)) {
    throw coded('INTERNAL', { reason: 'the native backend has not been started' });
  }
  return backend;
}

/** The kernels of this thread's native backend. @throws INTERNAL if it has not been started */
export function nativeKernels(): DeviceKernels {
  return nativeBackend().kernels;
}

/**
 * The tensor's own buffer, which lives as long as the tensor's data. A tensor of another backend is moved
 * here.
 */
export function bufferOf(tensor: tf.TensorInfo): DeviceBuffer {
  return nativeBackend().record(tensor).buffer;
}

/** A gradient on the device that computed it. */
export function deviceGradient(gradient: tf.Tensor): GradientTensor {
  return {
    length: gradient.size,
    buffer: bufferOf(gradient),
    hostValues: () => gradient.dataSync<'float32'>(),
  };
}

/** A matrix rounded to bf16, for gemms. @param x f32 */
export function bf16Copy(x: DeviceBuffer, shape: [rows: number, columns: number]): tf.Tensor2D {
  const copy = emptyTensor<tf.Rank.R2>(shape, 'float32', STORAGE.bf16);
  nativeKernels().convert({ x, y: bufferOf(copy), length: copy.size });
  return copy;
}

/** How the tensor is stored: float32 as f32 or bf16. */
export function storageOf(tensor: tf.TensorInfo): Storage {
  return nativeBackend().record(tensor).storage;
}

/** A tensor for a kernel to fill. tidy disposes of it like any other. */
export function emptyTensor<R extends tf.Rank>(
  shape: tf.ShapeMap[R],
  dtype: tf.DataType = 'float32',
  storage: Storage = storageFor(dtype),
): tf.Tensor<R> {
  const backend = nativeBackend();
  const dataId = backend.allocate(tf.util.sizeFromShape(shape), dtype, storage);
  // tfjs's engine gives a tensor the rank of its shape.
  return tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype }, backend) as tf.Tensor<R>;
}

/**
 * A float32 tensor on the memory of `values`, which may be shared memory. Kernels see what is written there later. The
 * memory is kept as long as the tensor.
 */
export function wrapHost<R extends tf.Rank>(values: Float32Array, shape: tf.ShapeMap[R]): tf.Tensor<R> {
  if (values.length !== tf.util.sizeFromShape(shape)) {
    throw coded('INTERNAL', {
      reason: `${values.length} values for a tensor of shape [${shape.join(', ')}]`,
    });
  }
  const backend = nativeBackend();
  if (isGpu(backend.kernels))
    throw coded('INTERNAL', { reason: "a GPU does not compute on the host's memory" });
  // Only a processor's kernels can do this.
  const buffer = (backend.kernels as Kernels).wrap({ values });
  return tensorOn<R>(buffer, shape);
}

/** A float32 tensor on a buffer, which is released with the tensor. */
export function tensorOn<R extends tf.Rank>(
  buffer: DeviceBuffer,
  shape: tf.ShapeMap[R],
  storage: Storage = STORAGE.f32,
): tf.Tensor<R> {
  const backend = nativeBackend();
  const length = tf.util.sizeFromShape(shape);
  const dataId = backend.enter({ buffer, storage, dtype: 'float32', length, refCount: 1 });
  return tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype: 'float32' }, backend) as tf.Tensor<R>;
}

/**
 * Calls `body` with the tensors' buffers. A buffer with another storage is replaced by a converted copy, which lives until
 * `body` returns.
 */
export function withBuffersAs<T>(
  backend: NativeBackend,
  wanted: Storage,
  tensors: readonly tf.TensorInfo[],
  body: (...buffers: DeviceBuffer[]) => T,
): T {
  const { kernels } = backend;
  const copies: DeviceBuffer[] = [];
  try {
    const buffers = tensors.map((tensor) => {
      const { buffer, storage, length } = backend.record(tensor);
      if (storage === wanted) return buffer;
      const copy = kernels.allocate({ length, storage: wanted });
      copies.push(copy);
      kernels.convert({ x: buffer, y: copy, length });
      return copy;
    });
    return body(...buffers);
  } finally {
    for (const copy of copies) kernels.release(copy);
  }
}

/** As `withBuffersAs`, for kernels that take f32 only. */
export function withF32Buffers<T>(
  tensors: readonly tf.TensorInfo[],
  body: (...buffers: DeviceBuffer[]) => T,
): T {
  return withBuffersAs(nativeBackend(), STORAGE.f32, tensors, body);
}
