/** Which device each worker of this machine computes on. */
import { planDevice, unusedGpus, type DeviceSurvey } from '../../nn/engine/device.js';
import { tensorflowMissing } from '../../nn/backend/tensorflow-package.js';

/**
 * The --device of local worker `index`.
 * @param wanted devices in turn, or auto: a GPU for each worker if there are any, then the first one again
 * @param survey numbers of the GPUs that the native kernels can use here; called only if one may be chosen
 */
export function deviceOfWorker(
  index: number,
  wanted: string,
  backend: string,
  survey: () => readonly number[],
): string {
  if (wanted !== 'auto') {
    const list = wanted.split(',').map((device) => device.trim());
    return list[index % list.length]!;
  }
  const gpus = backend === 'auto' || backend === 'native' ? survey() : [];
  return gpus.length > 0 ? `cuda:${gpus[index % gpus.length]!}` : 'auto';
}

export interface LocalDevices {
  readonly devices: string;
  readonly backend: string;
  readonly workers: number;
}

/**
 * Refuses what no worker of this machine could compute with, before any is started: each would say it again.
 * @param present how many GPUs this machine has
 * @returns what to warn of, or null
 * @throws DEVICE_INVALID, DEVICE_UNUSABLE, BACKEND_NOT_INSTALLED
 */
export function checkLocalDevices(
  { devices, backend, workers }: LocalDevices,
  survey: DeviceSurvey,
  present: number,
): string | null {
  if (backend === 'tensorflow' && !survey.tensorflow()) throw tensorflowMissing();
  const wanted = devices.split(',').map((device) => device.trim());
  for (const device of new Set(wanted.slice(0, workers))) {
    if (device !== 'auto' && device !== 'cpu') planDevice(device, backend, survey);
  }
  return wanted.includes('auto') ? unusedGpus('auto', backend, survey, present) : null;
}
