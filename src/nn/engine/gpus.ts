/** The GPUs of this machine, as the CUDA kernels see them. */
import type { DeviceSurvey, NativeGpus } from './device.js';
import { tensorflowInstalled } from '../backend/tensorflow-package.js';
import { loadGpuKernels } from '../../kernels/addon.js';
import type { GpuDevice, GpuList } from '../../kernels/kernel-api/memory.js';

export type GpuSurvey = GpuList & NativeGpus;

/** Lists them without opening any. */
export function surveyGpus(): GpuSurvey {
  const loaded = loadGpuKernels();
  if (loaded.kernels === undefined) {
    return { devices: [], driver: 0, runtime: 0, problem: loaded.reason, usable: [] };
  }
  const list = loaded.kernels.devices();
  const usable = list.devices.filter(({ problem }) => problem === '').map(({ ordinal }) => ordinal);
  const problem = list.problem === '' && usable.length === 0 ? firstProblem(list.devices) : list.problem;
  return { ...list, problem, usable };
}

function firstProblem(devices: readonly GpuDevice[]): string {
  return devices.map(({ ordinal, problem }) => `cuda:${ordinal}: ${problem}`).join('; ');
}

/** The GPUs of this machine. */
export const THIS_MACHINE: DeviceSurvey = { gpus: surveyGpus, tensorflow: tensorflowInstalled };
