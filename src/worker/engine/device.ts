/** The --device of a process that computes: which processor or GPU its backend uses. */
import { coded } from '../../shared/errors.js';

export interface DevicePlan {
  /** Backend to start, as BACKEND_CHOICES. */
  readonly backend: string;
  /** The GPU that the native backend opens; null for the processor. */
  readonly gpu: number | null;
  /** CUDA_VISIBLE_DEVICES for this process, which TensorFlow goes by; null leaves it as it is. */
  readonly visibleGpus: string | null;
}

/** What the native backend's CUDA kernels find on this machine. */
export interface NativeGpus {
  /** Numbers of the GPUs that they run on. */
  readonly usable: readonly number[];
  /** Why there are none; empty where there are. */
  readonly problem: string;
}

/** Whose backend has no use for them. */
const NONE_ASKED: NativeGpus = { usable: [], problem: '' };
const NATIVE = new Set(['auto', 'native']);

/**
 * What `device` (auto, cpu, cuda:N) means for a run's backend: the native backend's own kernels first, then
 * TensorFlow's. No other backend has GPUs.
 * @param survey asked only where the native backend may take one: it starts the driver, and what is set in
 *   CUDA_VISIBLE_DEVICES after that changes nothing
 * @throws DEVICE_INVALID, DEVICE_UNUSABLE
 */
export function planDevice(device: string, backend: string, survey: () => NativeGpus): DevicePlan {
  if (device === 'cpu') return { backend, gpu: null, visibleGpus: '' };
  const gpus = NATIVE.has(backend) ? survey() : NONE_ASKED;
  const native = gpus.usable.length > 0;
  if (device === 'auto') {
    if (native) return { backend: 'native', gpu: gpus.usable[0]!, visibleGpus: null };
    return { backend, gpu: null, visibleGpus: null };
  }
  const number = /^cuda:(\d{1,3})$/.exec(device)?.[1];
  if (number === undefined) throw coded('DEVICE_INVALID', { device });
  const gpu = Number(number);
  if (native && gpus.usable.includes(gpu)) return { backend: 'native', gpu, visibleGpus: null };
  if (native) {
    const reason = `usable are ${gpus.usable.map((n) => `cuda:${n}`).join(', ')}`;
    throw coded('DEVICE_UNUSABLE', { device, backend, reason });
  }
  if (backend === 'native') throw coded('DEVICE_UNUSABLE', { device, backend, reason: gpus.problem });
  if (backend !== 'auto' && backend !== 'tensorflow') {
    throw coded('DEVICE_UNUSABLE', { device, backend, reason: 'this backend has no GPUs' });
  }
  return { backend: 'tensorflow', gpu: null, visibleGpus: number };
}
