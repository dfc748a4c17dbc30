/** The --device of a process that computes: which processor or GPU its backend uses. */
import { coded } from '../../errors/errors.js';

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

/** What is computed on, for people. @param backend that was started */
export function deviceName({ gpu, visibleGpus }: DevicePlan, backend: string): string {
  if (gpu !== null) return `cuda:${gpu}`;
  if (backend !== 'tensorflow' || visibleGpus === '') return 'cpu';
  return visibleGpus === null ? 'any device' : `cuda:${visibleGpus}`;
}

/** What a machine is asked for its GPUs. */
export interface DeviceSurvey {
  /**
   * Asked only where the native backend may take one: it starts the driver, and what is set in CUDA_VISIBLE_DEVICES
   * after that changes nothing.
   */
  readonly gpus: () => NativeGpus;
  /** Whether the tensorflow backend, which has GPUs as well, is installed. */
  readonly tensorflow: () => boolean;
}

/** Of a backend that has no use for them. */
const NONE_ASKED: NativeGpus = { usable: [], problem: '' };
const NATIVE = new Set(['auto', 'native']);

/** N of cuda:N. @throws DEVICE_INVALID */
function gpuNumber(device: string): number {
  const number = /^cuda:(\d{1,3})$/.exec(device)?.[1];
  if (number === undefined) throw coded('DEVICE_INVALID', { device });
  return Number(number);
}

/**
 * What `device` (auto, cpu, cuda:N) means for a run's backend: the native backend's own kernels first, then
 * TensorFlow's. No other backend has GPUs.
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

/** Why the GPU that is asked for cannot be had, or null where TensorFlow may have it. */
function whyNot(backend: string, gpus: NativeGpus, survey: DeviceSurvey): string | null {
  if (gpus.usable.length > 0) return `usable are ${gpus.usable.map((n) => `cuda:${n}`).join(', ')}`;
  if (backend === 'tensorflow') return null;
  if (backend === 'native') return gpus.problem;
  if (backend !== 'auto') return `the backend ${backend} has no GPUs`;
  return survey.tensorflow() ? null : gpus.problem;
}

/**
 * What can be said of `device` before the run's backend is known, so that nobody waits for a coordinator first.
 * @throws DEVICE_INVALID, DEVICE_UNUSABLE
 */
export function checkDevice(device: string, survey: DeviceSurvey): void {
  if (device === 'auto' || device === 'cpu') return;
  gpuNumber(device);
  // TensorFlow has to be told which GPU it may see before anything starts the driver.
  if (!survey.tensorflow()) planDevice(device, 'auto', survey);
}

/**
 * What to tell whoever left the choice of the device to vitrail, on a machine whose GPUs will not be used.
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
