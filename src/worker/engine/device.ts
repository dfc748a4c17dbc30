/** The --device of a worker: which processor its tfjs backend may use. */
import { coded } from '../../shared/errors.js';

export interface DevicePlan {
  /** Backend to start, as BACKEND_CHOICES. */
  readonly backend: string;
  /** CUDA_VISIBLE_DEVICES for this process; null leaves it as it is. */
  readonly visibleGpus: string | null;
}

/**
 * What `device` (auto, cpu, cuda:N) means for a run's backend. GPUs are TensorFlow's: no other backend has any.
 * @throws DEVICE_INVALID, DEVICE_UNUSABLE
 */
export function planDevice(device: string, backend: string): DevicePlan {
  if (device === 'auto') return { backend, visibleGpus: null };
  if (device === 'cpu') return { backend, visibleGpus: '' };
  const index = /^cuda:(\d{1,3})$/.exec(device)?.[1];
  if (index === undefined) throw coded('DEVICE_INVALID', { device });
  if (backend !== 'auto' && backend !== 'tensorflow') throw coded('DEVICE_UNUSABLE', { device, backend });
  return { backend: 'tensorflow', visibleGpus: index };
}
