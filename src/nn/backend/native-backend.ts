/** The tfjs backend `native`, whose tensors are buffers of a device that implements kernel-api.ts. */
import { tf } from '../tfjs.js';
import { coded } from '../../errors/errors.js';
import { HostStaging, MOST_STAGED_BYTES } from './host-staging.js';
import { isGpu, type DeviceKernels } from '../../kernels/kernel-api.js';
import {
  STORAGE,
  type DeviceBuffer,
  type MemoryStatistics,
  type Storage,
} from '../../kernels/kernel-api/memory.js';

export const BACKEND_NAME = 'native';

/** tfjs's type for values of a tensor. Strings and complex numbers cannot be stored here. */
export type NativeType = 'float32' | 'int32' | 'bool';

/** Values of a tensor on the host. */
export type Values = Float32Array | Int32Array | Uint8Array;

/** The data behind a data id. */
export interface NativeRecord {
  readonly buffer: DeviceBuffer;
  /** How it is stored. For tfjs, bf16 is float32. */
  readonly storage: Storage;
  readonly dtype: NativeType;
  /** In elements. */
  readonly length: number;
  /** How many tensors and other objects hold the data id. */
  refCount: number;
}

type ValuesClass = new (length: number) => Values;

const TYPES: Readonly<Record<NativeType, { readonly storage: Storage; readonly array: ValuesClass }>> = {
  float32: { storage: STORAGE.f32, array: Float32Array },
  int32: { storage: STORAGE.i32, array: Int32Array },
  bool: { storage: STORAGE.u8, array: Uint8Array },
};

function nativeType(dtype: tf.DataType): NativeType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw coded('TENSOR_TYPE_UNSUPPORTED', { dtype, backend: BACKEND_NAME });
}

/** How elements of the type are stored, unless said otherwise. */
export function storageFor(dtype: tf.DataType): Storage {
  return TYPES[nativeType(dtype)].storage;
}

/** The values as an array of the buffer's type. */
function valuesAs(values: tf.BackendValues, dtype: NativeType): Values {
  const { array: ArrayClass } = TYPES[dtype];
  if (values instanceof ArrayClass) return values;
  const array = new ArrayClass(values.length);
  // tfjs's types let number[] pass as TypedArray. Strings never come here, because none of the three types is
  // theirs.
  array.set(values as Iterable<number> & ArrayLike<number>);
  return array;
}

export class NativeBackend extends tf.KernelBackend {
  readonly kernels: DeviceKernels;
  readonly #records: tf.DataStorage<NativeRecord>;
  /** Of a GPU. */
  readonly #staging: HostStaging | undefined;

  constructor(kernels: DeviceKernels) {
    super();
    this.kernels = kernels;
    this.#staging = isGpu(kernels) ? new HostStaging(kernels) : undefined;
    this.#records = new tf.DataStorage(this, tf.engine());
  }

  /** The data behind a tensor. A tensor of another backend is moved here first. */
  record({ dataId }: Pick<tf.TensorInfo, 'dataId'>): NativeRecord {
    return this.#records.get(dataId);
  }

  /** A new data id with an uninitialised buffer. */
  allocate(length: number, dtype: tf.DataType, storage: Storage = storageFor(dtype)): tf.DataId {
    const buffer = this.kernels.allocate({ length, storage });
    return this.enter({ buffer, storage, dtype: nativeType(dtype), length, refCount: 1 });
  }

  /** A new data id for a buffer, which is released with it. */
  enter(record: NativeRecord): tf.DataId {
    const dataId = {};
    this.#records.set(dataId, record);
    return dataId;
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(
    dataId: tf.DataId,
    values: tf.BackendValues,
    _shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    const host = valuesAs(values, nativeType(dtype));
    const storage = storageFor(dtype);
    const buffer = this.kernels.allocate({ length: host.length, storage });
    this.kernels.write({ buffer, values: host });
    const record = { buffer, storage, dtype: nativeType(dtype), length: host.length, refCount };
    this.#records.set(dataId, record);
  }

  /** A copy of the values; bf16 is converted to float32. */
  override readSync(dataId: tf.DataId): Values {
    const { buffer, storage, dtype, length } = this.#records.get(dataId);
    if (storage === STORAGE.bf16) {
      const wide = this.#widened(buffer, length);
      try {
        return this.#copyOf(wide, 'float32', length);
      } finally {
        this.kernels.release(wide);
      }
    }
    return this.#copyOf(buffer, dtype, length);
  }

  /** As `readSync`. On a GPU, Node does not wait for the kernels so far, unless there is much to read. */
  override async read(dataId: tf.DataId): Promise<Values> {
    const { buffer, storage, dtype, length } = this.#records.get(dataId);
    const values = new TYPES[dtype].array(length);
    const staging = this.#staging;
    if (staging === undefined || values.byteLength > MOST_STAGED_BYTES) return this.readSync(dataId);
    if (storage !== STORAGE.bf16) return staging.read(buffer, values);
    const wide = this.#widened(buffer, length);
    try {
      return await staging.read(wide, values);
    } finally {
      this.kernels.release(wide);
    }
  }

  override numDataIds(): number {
    return this.#records.numDataIds();
  }

  override refCount(dataId: tf.DataId): number {
    return this.#records.has(dataId) ? this.#records.get(dataId).refCount : 0;
  }

  override incRef(dataId: tf.DataId): void {
    this.#records.get(dataId).refCount++;
  }

  decRef(dataId: tf.DataId): void {
    if (this.#records.has(dataId)) this.#records.get(dataId).refCount--;
  }

  /**
   * Removes one holder. Releases the buffer and returns true if nobody holds it any more, or with `force`.
   */
  override disposeData(dataId: tf.DataId, force = false): boolean {
    if (!this.#records.has(dataId)) return true;
    const record = this.#records.get(dataId);
    record.refCount--;
    if (!force && record.refCount > 0) return false;
    this.#records.delete(dataId);
    this.kernels.release(record.buffer);
    return true;
  }

  /**
   * Bytes of this thread's buffers and scratch memory. tfjs adds its own counts, which count bf16 as float32.
   */
  override memory(): MemoryStatistics & { unreliable: boolean } {
    return { unreliable: false, ...this.kernels.memory() };
  }

  override timerAvailable(): boolean {
    return true;
  }

  /** Measures until the kernels have ended, which on a processor is when they return. */
  override time(f: () => void): Promise<tf.BackendTimingInfo> {
    const start = performance.now();
    f();
    if (isGpu(this.kernels)) this.kernels.synchronise();
    return Promise.resolve({ kernelMs: performance.now() - start });
  }

  override floatPrecision(): 32 {
    return 32;
  }

  /** Does not close the device, because a test or another backend may use it again. */
  override dispose(): void {
    this.kernels.trimMemory();
  }

  #widened(buffer: DeviceBuffer, length: number): DeviceBuffer {
    const wide = this.kernels.allocate({ length, storage: STORAGE.f32 });
    this.kernels.convert({ x: buffer, y: wide, length });
    return wide;
  }

  #copyOf(buffer: DeviceBuffer, dtype: NativeType, length: number): Values {
    const values = new TYPES[dtype].array(length);
    this.kernels.read({ buffer, values });
    return values;
  }
}
