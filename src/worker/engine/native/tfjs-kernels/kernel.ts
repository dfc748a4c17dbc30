/** What the tfjs kernels of the native backend are made with. */
import * as tf from '@tensorflow/tfjs-core';
import type { DeviceBuffer, Storage } from '../kernel-api/memory.js';
import { BACKEND_NAME, NativeBackend } from '../native-backend.js';

/** Computes a kernel's outputs; inputs and attributes are those that tfjs defines for its name. */
export type Run<Inputs, Attributes> = (
  backend: NativeBackend,
  inputs: Inputs,
  attributes: Attributes,
) => tf.TensorInfo | tf.TensorInfo[];

/** The registration of a kernel with inputs of these names. */
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
    // tfjs gives to a name's kernel what it defines for that name, but types it for all names at once.
    kernelFunc: ({ inputs, attrs, backend }) => {
      if (!(backend instanceof NativeBackend)) throw new TypeError(`${kernelName} on another backend`);
      return run(backend, inputs as unknown as Inputs, attrs as unknown as Attributes);
    },
  };
}

/** An output that `fill` writes; released again if that throws. */
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

/** The same data in another shape. */
export function alias(backend: NativeBackend, x: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape, dtype: x.dtype };
}

/** Calls `body` with intermediates, and gives them up after it. */
export function using<T extends readonly tf.TensorInfo[], R>(
  backend: NativeBackend,
  intermediates: T,
  body: (...intermediates: T) => R,
): R {
  try {
    return body(...intermediates);
  } finally {
    for (const { dataId } of intermediates) backend.disposeData(dataId);
  }
}
