/** Decides from `--device` whether a process computes on its processor or on a GPU. */
import { coded } from '../../errors/errors.js';

export interface DevicePlan {
  /** Backend to start, as BACKEND_CHOICES. */
  readonly backend: string;
  /** The GPU that the native backend opens; null for the processor. */
  readonly gpu: number | null;
  /** CUDA_VISIBLE_DEVICES for this process, which TensorFlow reads; null leaves it as it is. */
  readonly visibleGpus: string | null;
}

/** The GPUs that the native backend's CUDA kernels find on this machine. */
export interface NativeGpus {
  /** Numbers of the GPUs that they run on. */
  readonly usable: readonly number[];
  /** Why there are none; empty if there are some. */
  readonly problem: string;
}

/** The device that is computed on, for people. @param backend the one that was started */
export function deviceName({ gpu, visibleGpus }: DevicePlan, backend: string): string {
  if (gpu !== null) return `cuda:${gpu}`;
  if (backend !== 'tensorflow' || visibleGpus === '') return 'cpu';
  return visibleGpus === null ? 'any device' : `cuda:${visibleGpus}`;
}

/** Questions to a machine about its GPUs. */
export interface DeviceSurvey {
  /**
   * Called only if the native backend may take a GPU, because it starts the driver, and CUDA_VISIBLE_DEVICES has no
   * effect after that.
   */
  readonly gpus: () => NativeGpus;
  /** Whether the tensorflow backend, which has GPUs as well, is installed. */
  readonly tensorflow: () => boolean;
}

/** The answer for a backend that does not use GPUs. */
const NONE_ASKED: NativeGpus = { usable: [], problem: '' };
const NATIVE = new Set(['auto', 'native']);

/** N of cuda:N. @throws DEVICE_INVALID */
function gpuNumber(device: string): number {
  const number = /^cuda:(\d{1,3})$/.exec(device)?.[1];
  if (number === undefined) throw coded('DEVICE_INVALID', { device });
  return Number(number);
}

/**
 * The device that `device` (auto, cpu, cuda:N) means for a run's backend. A GPU is used by the native backend's kernels if
 * they can, else by TensorFlow's. No other backend uses GPUs.
 * @throws DEVICE_INVALID, DEVICE_UNUSABLE
 */
export function planDevice(device: string, backend: string, survey: DeviceSurvey): DevicePlan {
  if (device === 'cpu') return { backend, gpu: null, visibleGpus: '' };
  const gpus = NATIVE.has(backend) ? survey.gpus() : NONE_ASKED;
  const native = gpus.usable.length > 0;
  if (device === 'auto') {
    if (native) return { backend: 'native', gpu: gpus.usable[0]!, visibleGpus: null };
    return { backend, gpu: null, visibleGpus: null };
  }
  const gpu = gpuNumber(device);
  if (native && gpus.usable.includes(gpu)) return { backend: 'native', gpu, visibleGpus: null };
  const reason = whyNot(backend, gpus, survey);
  if (reason !== null) throw coded('DEVICE_UNUSABLE', { device, reason });
  return { backend: 'tensorflow', gpu: null, visibleGpus: String(gpu) };
}

/** Why the native backend cannot use the GPU that is asked for; null if TensorFlow may be able to. */
function whyNot(backend: string, gpus: NativeGpus, survey: DeviceSurvey): string | null {
  if (gpus.usable.length > 0) return `usable are ${gpus.usable.map((n) => `cuda:${n}`).join(', ')}`;
  if (backend === 'tensorflow') return null;
  if (backend === 'native') return gpus.problem;
  if (backend !== 'auto') return `the backend ${backend} has no GPUs`;
  return survey.tensorflow() ? null : gpus.problem;
}

/**
 * Checks `device` as far as possible before the run's backend is known, so that an error does not come only after waiting
 * for a coordinator.
 * @throws DEVICE_INVALID, DEVICE_UNUSABLE
 */
export function checkDevice(device: string, survey: DeviceSurvey): void {
  if (device === 'auto' || device === 'cpu') return;
  gpuNumber(device);
  // TensorFlow must be told which GPU it may see before anything starts the driver.
  if (!survey.tensorflow()) planDevice(device, 'auto', survey);
}

/**
 * A hint for a user who gave no `--device`, on a machine whose GPUs will not be used.
 * @param present how many GPUs the machine has
 */
export function unusedGpus(
  device: string,
  backend: string,
  survey: DeviceSurvey,
  present: number,
): string | null {
  if (device !== 'auto' || present === 0) return null;
  const reason = whyUnused(backend, survey);
  if (reason === null) return null;
  const them = present === 1 ? 'an NVIDIA GPU that goes' : `${present} NVIDIA GPUs that go`;
  return `this machine has ${them} unused: ${reason} (--device cpu says that this is wanted)`;
}

function whyUnused(backend: string, survey: DeviceSurvey): string | null {
  if (backend === 'tensorflow') return null;
  if (!NATIVE.has(backend)) return `the backend ${backend} has no GPUs`;
  const { usable, problem } = survey.gpus();
  if (usable.length > 0) return null;
  return backend === 'auto' && survey.tensorflow() ? null : problem;
}
