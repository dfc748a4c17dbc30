/** Chooses the training for the engine's device: in shared memory or on a GPU. */
import { DeviceTraining } from './device-training.js';
import { withinDevice } from '../../nn/engine/memory-fit.js';
import { loadKernels } from '../../kernels/addon.js';
import { hostTraining } from './host-training.js';
import type { Training, TrainingServices } from './training.js';

/** @throws DEVICE_TOO_SMALL */
export function trainingOn(services: TrainingServices): Training {
  const { gpu } = services.engine;
  if (gpu === undefined) return hostTraining(services, loadKernels().kernels);
  return withinDevice(services.engine.backend, () => new DeviceTraining(services, gpu));
}
