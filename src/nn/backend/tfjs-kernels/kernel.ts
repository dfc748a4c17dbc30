/** Helpers for the tfjs kernels of the native backend. */
import { tf } from '../../tfjs.js';
import type { DeviceBuffer, Storage } from '../../../kernels/kernel-api/memory.js';
import { BACKEND_NAME, NativeBackend, storageFor } from '../native-backend.js';

/** Computes a kernel's outputs; inputs and attributes are those that tfjs defines for its name. */
export type Run<Inputs, Attributes> = (
  backend: NativeBackend,
  inputs: Inputs,
  attributes: Attributes,
) => tf.TensorInfo | tf.TensorInfo[];

/** The registration of a kernel whose inputs have these names. */
export function kernel<Names extends string, Attributes = object>(
  name: string,
  run: Run<Readonly<Record<Names, tf.TensorInfo>>, Attributes>,
): tf.KernelConfig {
  return registration(name, run);
}

/** The registration of a kernel that takes a list of tensors. */
export function listKernel<Attributes = object>(
  name: string,
  run: Run<readonly tf.TensorInfo[], Attributes>,
): tf.KernelConfig {
  return registration(name, run);
}

function registration<Inputs, Attributes>(kernelName: string, run: Run<Inputs, Attributes>): tf.KernelConfig {
  return {
    kernelName,
    backendName: BACKEND_NAME,
    // tfjs calls a kernel with the inputs that it defines for the kernel's name, but has one type for all
    // names.
    kernelFunc: ({ inputs, attrs, backend }) => {
      if (!(backend instanceof NativeBackend)) throw new TypeError(`${kernelName} on another backend`);
      return run(backend, inputs as unknown as Inputs, attrs as unknown as Attributes);
    },
  };
}

/** An output that `fill` writes. It is released if `fill` throws. */
export function output(
  backend: NativeBackend,
  shape: number[],
  dtype: tf.DataType,
  fill: (buffer: DeviceBuffer, length: number) => void,
  storage?: Storage,
): tf.TensorInfo {
  const length = tf.util.sizeFromShape(shape);
  const dataId = backend.allocate(length, dtype, storage);
  try {
    fill(backend.record({ dataId }).buffer, length);
  } catch (error) {
    backend.disposeData(dataId);
    throw error;
  }
  return { dataId, shape, dtype };
}

/**
 * As `output`, but `fill` writes elements stored as `computed`, which are converted if the type is another
 * one.
 */
export function outputFrom(
  backend: NativeBackend,
  shape: number[],
  dtype: tf.DataType,
  computed: Storage,
  fill: (buffer: DeviceBuffer, length: number) => void,
): tf.TensorInfo {
  if (storageFor(dtype) === computed) return output(backend, shape, dtype, fill);
  const { kernels } = backend;
  return output(backend, shape, dtype, (y, length) => {
    const raw = kernels.allocate({ length, storage: computed });
    try {
      fill(raw, length);
      kernels.convert({ x: raw, y, length });
    } finally {
      kernels.release(raw);
    }
  });
}

/** A tensor of no dimensions. */
export function scalar(backend: NativeBackend, value: number, dtype: tf.DataType): tf.TensorInfo {
  return output(backend, [], dtype, (y) => {
    backend.kernels.fill({ y, value, length: 1 });
  });
}

/** The same data in another shape. */
export function alias(backend: NativeBackend, x: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape, dtype: x.dtype };
}

/** Calls `body` with an intermediate, and disposes of that afterwards. */
export function using<R>(
  backend: NativeBackend,
  intermediate: tf.TensorInfo,
  body: (intermediate: tf.TensorInfo) => R,
): R {
  try {
    return body(intermediate);
  } finally {
    backend.disposeData(intermediate.dataId);
  }
}
